#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs pipeport into an empty prefix and builds and runs its consumers every way that the README promises."""
import os
import pathlib
import shutil

import house

args = house.arguments()
windows = args.system == "windows"
exe = ".exe" if windows else ""
consumer = pathlib.Path(__file__).resolve().parent / "consumer"
area = args.build / "embed"
shutil.rmtree(area, ignore_errors=True)
prefix = area / "prefix"
ran = []


def run_consumer(program, where=None):
    """Runs a consumer; it must end with 0 and say OK. `where`: the folder of the shared library."""
    environment = dict(os.environ)
    if where:
        environment["WINEPATH" if windows else "LD_LIBRARY_PATH"] = str(where)
    name = f"embed-{os.getpid()}-{len(ran)}"
    code, output = house.run([*house.emulator(args), f"{program}{exe}", name], timeout=60, env=environment)
    if code != 0 or not output.startswith("OK 0."):
        house.end([f"{program} ended with {code}:\n{output}"], "")
    ran.append(program)


def cmake_consumer(folder, shared, *more):
    build = area / folder
    toolchain = [f"-DCMAKE_TOOLCHAIN_FILE={args.toolchain}"] if args.toolchain else []
    compilers = [] if toolchain else [f"-DCMAKE_C_COMPILER={args.cc}", f"-DCMAKE_CXX_COMPILER={args.cxx}"]
    house.must(["cmake", "-G", "Ninja", "-S", consumer, "-B", build, f"-DBUILD_SHARED_LIBS={shared}", *toolchain,
                *compilers, *more])
    house.must(["cmake", "--build", build, "-j", "2"])
    for program in sorted((build / "bin").glob("echo_*" + exe)):
        run_consumer(program.with_suffix(""), prefix / ("bin" if windows else "lib"))
    return build / "bin"


def pkg_config(*flags):
    environment = dict(os.environ, PKG_CONFIG_LIBDIR=str(prefix / "lib/pkgconfig"), PKG_CONFIG_PATH="")
    return house.must(["pkg-config", *flags, "pipeport"], env=environment).split()


def pkg_config_consumer(kind):
    for compiler, source in ((args.cc, "echo.c"), (args.cxx, "echo.cc")):
        program = area / f"pkg-{kind}-{source.replace('.', '_')}"
        static = ["-static"] if kind == "static" else []
        own = ["-static-libgcc"] + (["-static-libstdc++"] if source.endswith("cc") else []) if windows else []
        flags = pkg_config(*["--static"] * bool(static), "--cflags", "--libs")
        house.must([compiler, consumer / source, "-o", f"{program}{exe}", *flags, *static, *own])
        run_consumer(program, None if static else prefix / ("bin" if windows else "lib"))


def installed():
    """Faults of the installation: a file too few, or one too many."""
    have = {path.relative_to(prefix).as_posix() for path in prefix.rglob("*") if not path.is_dir()}
    want = {"lib/libpipeport.a", "lib/pkgconfig/pipeport.pc", "share/doc/pipeport/LICENSE"}
    want |= {f"include/{header.name}" for header in (args.root / "engine/include").glob("*.h")}
    want |= {f"lib/cmake/pipeport/pipeport-{part}.cmake" for part in ("config", "config-version", "targets")}
    want |= {"bin/pipeport.dll", "lib/libpipeport.dll.a"} if windows else {"lib/libpipeport.so"}
    extra = {name for name in have - want if "/pipeport-targets-" not in name and "libpipeport.so." not in name}
    return [f"not installed: {name}" for name in want - have] + [f"installed besides: {name}" for name in extra]


house.must(["cmake", "--install", args.build, "--prefix", prefix])
faults = installed()
for text in list((prefix / "lib/cmake").rglob("*.cmake")) + list((prefix / "lib/pkgconfig").iterdir()):
    if str(args.root) in text.read_text():
        faults.append(f"{text.name} names the folder it was built in")
if faults:
    house.end(faults, "")

moved = area / "moved"   # an installation can be moved
prefix.rename(moved)
prefix = moved
found = f"-DCMAKE_PREFIX_PATH={prefix}"
if windows:   # the toolchain file looks for packages in its own roots only
    found = f"-Dpipeport_DIR={prefix}/lib/cmake/pipeport"
mimalloc = [f"-Dmimalloc_DIR={pathlib.Path(args.mimalloc).parent}/lib/cmake/mimalloc", "-DOWN_MIMALLOC=ON"]
mimalloc = mimalloc if args.mimalloc else []
static_bin = cmake_consumer("find-static", "OFF", found, *mimalloc)
cmake_consumer("find-shared", "ON", found)
pkg_config_consumer("static")
pkg_config_consumer("shared")
cmake_consumer("subdirectory-static", "OFF", f"-DPIPEPORT_SOURCE={args.root}")
cmake_consumer("subdirectory-shared", "ON", f"-DPIPEPORT_SOURCE={args.root}")

# Whoever links pipeport keeps the malloc he had: it still comes from outside of his program.
symbols = house.must([args.nm, static_bin / f"echo_c{exe}"])
for name in ("malloc", "free", "calloc", "realloc"):
    lines = [line.split() for line in symbols.splitlines() if line.split()[-1].split("@")[0] == name]
    if not windows and any(line[-2] != "U" for line in lines):
        faults.append(f"a consumer got a {name} of ours")
if any(line.split()[-1].startswith("mi_") and line.split()[-2].isupper() for line in symbols.splitlines()):
    faults.append("a consumer sees our mimalloc")
house.end(faults, f"{len(ran)} consumers ran")
