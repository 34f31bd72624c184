# SPDX-License-Identifier: MIT
"""wine_programs - Wine for bench/compare --peers --windows."""
import os
import subprocess
import tempfile


def version():
    return subprocess.run(["wine", "--version"], capture_output=True, text=True).stdout.strip()


class Wine:
    """What tools/wine-env says, with a prefix that nobody else uses, and the Wine server, which is ours to end."""

    def __init__(self):
        self.prefix = tempfile.TemporaryDirectory(prefix="pipeport-bench-")
        self.environment = dict(os.environ, WINEPREFIX=self.prefix.name, WINEDEBUG="-all,err+module",
                                WINEDLLOVERRIDES="mscoree,mshtml=;winedbg.exe=d")
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            self.environment.pop(name, None)
        quiet = {"env": self.environment, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                 "stderr": subprocess.DEVNULL}
        self.server = subprocess.Popen(["wineserver", "-f", "-p60"], **quiet)
        subprocess.run(["wine", "wineboot", "-u"], timeout=180, check=True, **quiet)

    def end(self):
        subprocess.run(["wineserver", "-k"], env=self.environment)
        self.server.wait(timeout=30)
        self.prefix.cleanup()
