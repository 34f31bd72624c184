#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every header compiles alone; the public ones as C++ too, and for somebody who has only their folder."""
import house

args = house.arguments()
warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
build_says = ["-DPP_OP_ROOM_WORDS=5"]  # enough for every system
roots = ["-I", args.root, "-I", args.root / "engine/include"]
if args.mimalloc:
    roots += ["-isystem", args.mimalloc]
unit = args.build / "header_alone.c"
wrong, count = [], 0
for header in house.c_files(args.root, ".h", args.system):
    name = header.relative_to(args.root).as_posix()
    # a translation unit must hold something, and a header may hold only macros
    unit.write_text(f'#include "{name}"\n#include "{name}"\ntypedef int pp_alone;\n')
    code, output = house.run([args.cc, "-std=c11", *warnings, *build_says, *roots, unit])
    count += 1
    if code != 0:
        wrong.append(f"{name} does not compile alone:\n{output}")
public = args.root / "engine/include"
promised = sorted(header.name for header in public.glob("*.h"))
for name in promised:
    unit.write_text(f"#include <{name}>\n")
    for compiler, language in ((args.cc, "c"), (args.cxx, "c++")):
        for standard in {"c": ("c11", "c17"), "c++": ("c++11", "c++20")}[language]:
            for shared in ([], ["-DPIPEPORT_SHARED=1"]):
                code, output = house.run([compiler, "-x", language, f"-std={standard}", *warnings, *shared,
                                          "-I", public, "-include", name, unit])
                count += 1
                if code != 0:
                    wrong.append(f"<{name}> does not compile as {standard}:\n{output}")
if "pipeport.h" not in promised or count <= 8 * len(promised):
    wrong.append(f"only {count} headers were found")
house.end(wrong, f"{count} compiled alone")
