# SPDX-License-Identifier: MIT
"""What the house tests share: their arguments, running a command, and ending with OK or with all that is wrong."""
import argparse
import pathlib
import re
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from begun import once_more   # noqa: E402


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("root", "build"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--system", choices=("linux", "windows"), required=True)
    for name in ("cc", "cxx", "nm", "objdump", "toolchain", "mimalloc"):
        parser.add_argument(f"--{name}", default="")
    return parser.parse_args()


def run(command, timeout=240, **more):
    """(exit code, output and errors together), never waiting for input."""
    return once_more(ran, command, timeout, **more)


def ran(command, timeout, **more):
    try:
        done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout, check=False, **more)
    except subprocess.TimeoutExpired as late:
        return 124, f"still running after {timeout} s\n{(late.stdout or b'').decode(errors='replace')}"
    return done.returncode, done.stdout.decode(errors="replace").replace("\r\n", "\n")


def must(command, **more):
    """The output of a command that may not fail."""
    code, output = run(command, **more)
    if code != 0:
        print(f"exit code {code}: {' '.join(map(str, command))}\n{output}")
        sys.exit(1)
    return output


def emulator(args):
    return ["wine"] if args.system == "windows" else []


def c_files(root, suffix, system):
    """Our files of a suffix, those of the other system left out."""
    other = "linux" if system == "windows" else "windows"
    for top in ("protocol", "engine", "tools", "bench", "tests"):
        for path in sorted((root / top).rglob("*" + suffix)):
            parts = path.relative_to(root).parts
            if other not in parts and "windeps" not in parts and "consumer" not in parts:
                yield path


def declared(root):
    """The functions that pipeport.h and its parts promise."""
    text = "\n".join(header.read_text() for header in (root / "engine/include").glob("*.h"))
    return set(re.findall(r"^PIPEPORT_API\b[^;(]*?\b(pipeport_\w+)\s*\(", text, re.MULTILINE))


def end(wrong, ok):
    print("\n".join(wrong) if wrong else f"OK: {ok}")
    sys.exit(1 if wrong else 0)
