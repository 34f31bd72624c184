#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What leaves the libraries is what pipeport.h promises; nobody's malloc is replaced; there are no mutable globals."""
import re

import house

args = house.arguments()
promised = house.declared(args.root)
wrong = []


def archive_globals(path):
    """Names that an archive defines for whoever links it."""
    return set(re.findall(r"^\S+ [A-Zuvw] (\S+)$", house.must([args.nm, "-g", "--defined-only", path]), re.MULTILINE))


def shared_exports():
    if args.system == "linux":
        output = house.must([args.nm, "-D", "--defined-only", args.build / "libpipeport.so"])
        return set(re.findall(r"^\S+ [A-Zuvw] (\S+)$", output, re.MULTILINE))
    output = house.must([args.objdump, "-p", args.build / "bin/pipeport.dll"])
    table = output.split("[Ordinal/Name Pointer] Table", 1)[1].split("\n\n", 1)[0]
    return set(re.findall(r"^\s+\[\s*\d+\]\s+(?:\S+\s+)?(\S+)$", table, re.MULTILINE))


for what, found in (("the static library", archive_globals(args.build / "libpipeport.a")),
                    ("the shared library", shared_exports())):
    for name in sorted(found - promised):
        wrong.append(f"{what} lets out {name}, which pipeport.h does not declare")
    for name in sorted(promised - found):
        wrong.append(f"{what} lacks {name}, which pipeport.h declares")

# The archive of the inside has what the one object hides, so it shows that hiding is done and not merely unneeded.
inside = archive_globals(args.build / "libpipeport_inside.a")
if not any(name.startswith("pp_") for name in inside):
    wrong.append("the inside has no pp_ symbols: this test looks at the wrong file")
for name in sorted(inside):
    if not name.startswith(("pp_", "pipeport_", ".refptr.")):
        wrong.append(f"the inside has {name}, which has no prefix of ours")

# nm in System V form names the section: name | value | class | type | size | line | section
writable = re.compile(r"^(\.data(?!\.rel\.ro)|\.bss|\.tbss|\.tdata|\*COM\*|\.lcomm)")
for line in house.must([args.nm, "-f", "sysv", args.build / "libpipeport_inside.a"]).splitlines():
    field = [part.strip() for part in line.split("|")]
    if len(field) == 7 and writable.match(field[6]) and not field[0].startswith("."):
        wrong.append(f"a mutable global: {field[0]} in {field[6]}")

house.end(wrong, f"{len(promised)} functions leave, nothing else; no mutable globals")
