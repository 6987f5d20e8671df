# Copyright (C) vidcast contributors

# What the scripts beside this one do with apt; sourced by them.
#
# Whatever is not in the machine's own package lists (nginx's source, one
# package of a later suite) is looked up through a second apt configuration in
# build/apt, whose sources are derived from the machine's: same mirrors, same
# keys.  The machine's configuration and lists are left as they are.

apt_top=$(cd "$(dirname "$0")/../.." && pwd)
apt_dir=$apt_top/build/apt
apt_log=$apt_top/build/apt.log


apt_fail() {
    echo "$0: $*" >&2

    if [ -s "$apt_log" ]; then
        tail -n 20 "$apt_log" >&2
    fi

    exit 1
}


apt_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo > /dev/null; then
        sudo "$@"
    else
        apt_fail "not root, and there is no sudo: cannot run \"$*\""
    fi
}


# waits where another apt has the lock

apt_get() {
    apt_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -y -q -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" \
        < /dev/null >> "$apt_log" 2>&1
}


apt_known() {
    apt-cache show "$1" > /dev/null 2>&1
}


# what is in the lists may be gone from the mirror: once more with fresh ones

apt_install() {
    mkdir -p "$apt_top/build"
    : >> "$apt_log"

    apt_get install --no-install-recommends "$@" && return

    apt_get update || apt_fail "apt-get update failed"

    apt_get install --no-install-recommends "$@" \
        || apt_fail "apt-get install $* failed"
}


# apt_own deb|deb-src [SUITE] - writes the sources and reads their lists; then
# "apt_own_run TOOL ..." runs an apt tool with them, without being root

apt_own_run() {
    tool=$1
    shift

    "$tool" -q -o Dir::Etc::SourceList=/dev/null \
        -o Dir::Etc::SourceParts="$apt_dir/sources" \
        -o Dir::State::Lists="$apt_dir/lists" \
        -o Dir::Cache="$apt_dir/cache" \
        -o APT::Sandbox::User= "$@"
}

apt_own() {
    rm -rf "$apt_dir"
    mkdir -p "$apt_dir/sources" "$apt_dir/lists/partial" \
             "$apt_dir/cache/archives/partial"

    perl "$apt_top/t/util/apt-sources" "$apt_dir/sources" "$@" \
        || apt_fail "no usable package source on this machine"

    apt_own_run apt-get update < /dev/null >> "$apt_log" 2>&1 \
        || apt_fail "cannot read the lists of ${2:-the source packages}"
}


# apt_fetch PACKAGE SUITE - prints the file

apt_fetch() {
    mkdir -p "$apt_top/build"
    apt_own deb "$2"

    (cd "$apt_dir" && apt_own_run apt-get download "$1") \
        >> "$apt_log" 2>&1 || apt_fail "cannot get $1 of $2"

    echo "$apt_dir/$1"_*.deb
}
