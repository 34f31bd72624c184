#!/bin/bash
# SPDX-License-Identifier: MIT
#
# build.sh PREFIX - makes what pipeport needs and Debian has no package of, from Debian's source packages:
#   PREFIX/linux    a static mimalloc that overrides nobody's malloc, and cJSON, static
#   PREFIX/windows  the same for mingw-w64, and Criterion with BoxFort, nanomsg and nanopb, static
# Nothing outside PREFIX is touched and no root is needed. Sources stay in PREFIX/src, so that it can be run again
# without a network. About 30 s and 3 MB, besides the sources.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/windeps/sources.sh
. "$here/sources.sh"
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
src=$prefix/src
work=$prefix/work
step() { printf '  windeps: %s\n' "$*" >&3; }

packages=(mimalloc=2.0.9+ds-2 criterion=2.4.1-2 boxfort=0.1.2-2 nanomsg=1.1.5+dfsg-1.1 nanopb=0.4.7-2
    debugbreak=1.0-1)
archives=(mimalloc_2.0.9+ds.orig.tar.xz criterion_2.4.1.orig.tar.gz boxfort_0.1.2.orig.tar.gz
    nanomsg_1.1.5+dfsg.orig.tar.gz nanopb_0.4.7.orig.tar.gz debugbreak_1.0.orig.tar.gz)
# cJSON reads files of others: it is taken with Debian's patches, which close holes.
patched_package=cjson=1.7.15-1+deb12u4
archives+=(cjson_1.7.15.orig.tar.gz cjson_1.7.15-1+deb12u4.debian.tar.xz)

have_all() {
    local archive
    for archive in "${archives[@]}"; do [ -s "$src/$archive" ] || return 1; done
}

unpack() { # ARCHIVE: into a folder of the package's name
    local folder=$work/src/${1%%_*}
    rm -rf "$folder"
    mkdir -p "$folder"
    tar -xf "$src/$1" -C "$folder" --strip-components=1
}

patch_cjson() {
    local patches=$work/src/cjson/debian/patches name
    tar -xf "$src"/cjson_*.debian.tar.xz -C "$work/src/cjson"
    while read -r name; do
        patch -p1 -d "$work/src/cjson" <"$patches/$name"
    done <"$patches/series"
}

# BoxFort 0.1.2 lacks three macros that Criterion 2.4.1 uses (Debian's package has them); its worker's command line has
# no NUL at its end; about one CreateProcess in 9,000 fails under Wine 8.0 with ERROR_INTERNAL_ERROR: try it again; and
# a worker that ended before its main, as Wine ends one of some thousands, ended the whole program: begin it once more.
mend_boxfort() {
    python3 - "$work/src/boxfort" <<'P'
import sys
root = sys.argv[1]

def mend(path, *pairs):
    text = open(f"{root}/{path}").read()
    for old, new in pairs:
        assert text.count(old) == 1, (path, old)
        text = text.replace(old, new)
    open(f"{root}/{path}", "w").write(text)

mend("include/boxfort.h",
     ("BXF_DBG_WINDBG, /* Spawn with windbg (Windows only) */", "BXF_DBG_WINDBG, BXF_DBG_FALLBACK = 0x20"),
     ("struct bxf_debug {", "#define BXF_DBG_ENABLE_FALLBACK(d) ((d) |= BXF_DBG_FALLBACK)\n"
      "#define BXF_DBG_GET_DEBUGGER(d) ((d) & ~BXF_DBG_FALLBACK)\nstruct bxf_debug {"))
sandbox = open(f"{root}/src/sandbox-windows.c").read()
worker = sandbox.index('TEXT("boxfort-worker %s")')
start = sandbox.index("success = CreateProcess(filename, cmdline", worker)
call = sandbox[start:sandbox.index(";", start) + 1]
mend("src/sandbox-windows.c",
     ("SIZE_T size    = _sctprintf(fmt, filename, env_map);", "SIZE_T size    = _sctprintf(fmt, env_map) + 1;"),
     (call, "for (int tries = 0; tries < 5; ++tries) {\n" + call +
      "\nif (success || GetLastError() != ERROR_INTERNAL_ERROR)\nbreak;\nSleep(20);\n}"),
     ("int bxfi_exec(bxf_instance **out,", "static int bxfi_exec_once(bxf_instance **out,"),
     ("    if (wres == WAIT_OBJECT_0)\n        goto error;\n", """    if (wres == WAIT_OBJECT_0) {
        bxfi_cancel_timeout(instance);
        bxfi_unmap_local_ctx(&map);
        goto error;
    }
"""),
     ("int bxf_term(bxf_instance *instance)", """int bxfi_exec(bxf_instance **out, bxf_sandbox *sandbox,
        int mantled, bxf_fn *fn, bxf_preexec *preexec, bxf_callback *callback,
        void *user, bxf_dtor user_dtor)
{
    int rc = bxfi_exec_once(out, sandbox, mantled, fn, preexec, callback, user, user_dtor);
    if (rc == -ECHILD) {
        fprintf(stderr, "Wine ended it before its main; once more: a test of %s\\n", GetCommandLineA());
        rc = bxfi_exec_once(out, sandbox, mantled, fn, preexec, callback, user, user_dtor);
    }
    return rc;
}

int bxf_term(bxf_instance *instance)"""))
P
}

make_one() { # SOURCE BUILD PREFIX cmake-arguments...
    local from=$1 build=$2 to=$3
    shift 3
    cmake -S "$from" -B "$work/$build" -G Ninja -DCMAKE_INSTALL_PREFIX="$to" -DCMAKE_INSTALL_LIBDIR=lib "$@"
    cmake --build "$work/$build"
    cmake --install "$work/$build"
}

mkdir -p "$src" "$work"
exec 3>&1 >"$work/build.log" 2>&1   # from here on only steps are seen, and the log if it fails
trap 'code=$?; [ $code = 0 ] || { tail -40 "$work/build.log" >&3; printf "  windeps: failed, see above\n" >&3; }' EXIT
step 'sources'
if ! have_all; then
    fetch_sources "$src" "$work/apt" "${packages[@]}"
    (cd "$src" && apt-get "${source_apt[@]}" source --only-source --download-only "$patched_package")
fi
for archive in "${archives[@]}"; do
    [[ $archive == *.debian.tar.* ]] || unpack "$archive"
done
mend_boxfort
patch_cjson

mi=(-DCMAKE_BUILD_TYPE=Release -DMI_BUILD_SHARED=OFF -DMI_BUILD_OBJECT=OFF -DMI_BUILD_TESTS=OFF -DMI_OVERRIDE=OFF
    -DMI_WIN_REDIRECT=OFF -DMI_INSTALL_TOPLEVEL=ON)
win=(-DCMAKE_TOOLCHAIN_FILE="$here/mingw64.cmake" -DWIN_PREFIX="$prefix/windows")
step 'mimalloc for Linux'
make_one "$work/src/mimalloc" mimalloc-linux "$prefix/linux" "${mi[@]}"
step 'mimalloc for Windows'
# mcmodel=small: no COMDAT .refptr sections, which could be merged with those of a host's own mimalloc
make_one "$work/src/mimalloc" mimalloc-windows "$prefix/windows" "${win[@]}" "${mi[@]}" \
    -DCMAKE_C_FLAGS='-Wno-array-bounds -mcmodel=small'
step 'cJSON for Linux and Windows'
cjson=(-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DENABLE_CJSON_TEST=OFF -DENABLE_CUSTOM_COMPILER_FLAGS=OFF
    -DENABLE_CJSON_UNINSTALL=OFF -DCMAKE_POLICY_VERSION_MINIMUM=3.5)
make_one "$work/src/cjson" cjson-linux "$prefix/linux" "${cjson[@]}"
make_one "$work/src/cjson" cjson-windows "$prefix/windows" "${win[@]}" "${cjson[@]}"
step 'Criterion for Windows'
make_one "$work/src/nanomsg" nanomsg-windows "$prefix/windows" "${win[@]}" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_C_FLAGS=-w -DNN_STATIC_LIB=ON -DBUILD_SHARED_LIBS=OFF -DNN_TESTS=OFF -DNN_TOOLS=OFF \
    -DNN_ENABLE_DOC=OFF -DNN_ENABLE_NANOCAT=OFF
make_one "$here" criterion-windows "$prefix/windows" "${win[@]}" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DSRC="$work/src" -DCMAKE_C_FLAGS_RELWITHDEBINFO='-O2 -g'
rm -rf "$work"
step 'done'
