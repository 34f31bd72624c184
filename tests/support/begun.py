# SPDX-License-Identifier: MIT
"""begun.py - how tests begin a process that Wine may run: what Wine ended before its main is begun once more.

Wine ends one of some thousands so, with 1 and without a word (docs/WINDOWS.md). Ours say why they end with 1: so who
hears that of one begins it once more, and twice without a word is ours.
"""
import os
import subprocess
import sys

NOTHING = open(os.devnull, encoding="utf-8")   # A Popen that is begun anew cannot take DEVNULL twice.


def ended_by_wine(command, code, heard):
    """Whether it must be begun once more, which is said."""
    ended = command[0] == "wine" and code == 1 and not heard
    if ended:
        print("Wine ended it before its main; once more:", *command, flush=True)
    return ended


def once_more(run, command, *more, **how):
    """What `run` gives of a command, (exit code, all that was heard of it); of its second time if Wine ended it."""
    code, heard = run(command, *more, **how)
    return run(command, *more, **how) if ended_by_wine(command, code, heard) else (code, heard)


class Begun(subprocess.Popen):
    """A process that is begun once more if Wine ended it: where it is heard, by `hear` or `communicate`."""

    def __init__(self, command, **how):
        super().__init__(command, **how)
        self.how, self.is_first = how, True

    def begins_anew(self, heard):
        """Whether it did: it says no more, and this is all that it said."""
        anew = self.is_first and not heard and ended_by_wine(self.args, self.wait(100), heard)
        self.is_first = False
        if anew:
            super().__init__(self.args, **self.how)
        return anew

    def hear(self):
        """The next line that it says; "" when it says no more."""
        line = self.stdout.readline()
        return self.stdout.readline() if self.begins_anew(line) else line

    def communicate(self, input=None, timeout=None):
        heard = super().communicate(input, timeout)
        return super().communicate(input, timeout) if self.begins_anew("".join(filter(None, heard))) else heard


def passed_on(command):
    """(exit code, whether it said something), with all that it says."""
    heard = False
    with subprocess.Popen(command, stdin=NOTHING, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        while piece := process.stdout.read1():
            sys.stdout.buffer.write(piece)
            sys.stdout.flush()
            heard = True
    return process.returncode, heard


def main(command):
    """begun.py COMMAND... - so ctest begins programs."""
    code, _ = once_more(passed_on, command)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
