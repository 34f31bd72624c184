# SPDX-License-Identifier: MIT
"""begun.py - how tests begin a process that Wine may run: what Wine ended before its main is begun once more.

Wine ends one of some thousands so, with 1 and without a word (docs/WINDOWS.md). Ours say why they end with 1: so who
hears that of one begins it once more, and twice without a word is ours. What Wine says itself into what a process says,
where a thread of it has lost the Wine server, is no word of ours: it goes to the test's own log.
"""
import os
import re
import subprocess
import sys

NOTHING = open(os.devnull, encoding="utf-8")   # A Popen that is begun anew cannot take DEVNULL twice.

WINES = re.compile(r"^wine client error:[0-9a-f]+: .*\n?", re.MULTILINE)


def without_wines(command, heard):
    """What a process said, without what Wine said."""
    if command[0] != "wine" or not isinstance(heard, str):
        return heard
    for line in WINES.findall(heard):
        print("Wine itself said:", line.rstrip(), flush=True)
    return WINES.sub("", heard)


def ended_by_wine(command, code, heard):
    """Whether it must be begun once more, which is said."""
    ended = command[0] == "wine" and code == 1 and not heard
    if ended:
        print("Wine ended it before its main; once more:", *command, flush=True)
    return ended


def once_more(run, command, *more, **how):
    """What `run` gives of a command, (exit code, all that was heard of it); of its second time if Wine ended it."""
    for is_first in (True, False):
        code, heard = run(command, *more, **how)
        heard = without_wines(command, heard)
        if not (is_first and ended_by_wine(command, code, heard)):
            return code, heard


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
        line = self.line()
        return self.line() if self.begins_anew(line) else line

    def line(self):
        while line := self.stdout.readline():
            if line := without_wines(self.args, line):
                break
        return line

    def communicate(self, input=None, timeout=None):
        heard = self.rest(input, timeout)
        return self.rest(input, timeout) if self.begins_anew("".join(filter(None, heard))) else heard

    def rest(self, input, timeout):
        said, objected = super().communicate(input, timeout)
        return without_wines(self.args, said), without_wines(self.args, objected)


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
