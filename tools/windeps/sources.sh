# SPDX-License-Identifier: MIT
#
# sources.sh - source it: how tools/windeps/build.sh and tools/peers come by Debian's source packages.

# fetch_sources INTO WORK PACKAGE... - the upstream archives of these, into INTO. From the machine's own Debian sources,
# read as sources of source packages; apt looks at signatures and sums as ever, and the machine's apt is not changed.
# source_apt is then what apt-get takes to find them.
fetch_sources() {
    local src=$1 apt=$2 file
    shift 2
    local packages=("$@")
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/parts"
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
        sed -n '/debian\|ubuntu/s/^deb /deb-src /p' >"$apt/parts/pipeport.list" || true
    for file in /etc/apt/sources.list.d/*.sources; do
        if [ -e "$file" ] && grep -qiE 'debian|ubuntu' "$file"; then
            sed -E 's/^Types:.*/Types: deb-src/' "$file"
            echo
        fi
    done >"$apt/parts/pipeport.sources"
    source_apt=(-q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt/parts"
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User= -o Acquire::Languages=none)
    apt-get "${source_apt[@]}" update &&
        (cd "$src" && apt-get "${source_apt[@]}" source --only-source --download-only --tar-only "${packages[@]}")
}
