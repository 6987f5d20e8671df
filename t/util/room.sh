# Copyright (C) vidcast contributors

# A minimal Debian of its own in a directory, for the scripts beside this one,
# which have sourced apt.sh before.  It has this machine's mirrors, keys and
# ways to get there; processes and a file system of its own, not a network.


# room_make DIRECTORY SUITE PACKAGE,... - unless it is there.  What goes wrong
# is told by DIRECTORY.log.

room_make() {
    [ ! -e "$1/.vidcast-room" ] || return 0

    echo "no usable package source on this machine" > "$1.log"

    room_mirror=$(perl "$apt_top/t/util/apt-sources" - deb) || return 1
    room_release=${room_mirror#* }
    room_mirror=${room_mirror% *}

    # of one that broke off

    rm -rf --one-file-system "$1"
    mkdir -p "$1"

    debootstrap --variant=minbase --include="$3" "$2" "$1" "$room_mirror" \
        > "$1.log" 2>&1 || return 1

    rm -f "$1/etc/apt/sources.list"

    if [ "$2" = "$room_release" ]; then
        set -- "$1"
    fi

    perl "$apt_top/t/util/apt-sources" "$1/etc/apt/sources.list.d" deb \
        ${2:+"$2"} || return 1

    apt-config dump | grep -E '^Acquire::(https?::|Check-|.*Proxy)' \
        > "$1/etc/apt/apt.conf.d/99machine" || true

    # what a fresh machine has not read yet

    rm -rf "$1"/var/lib/apt/lists/*

    mkdir -p "$1/usr/local/share/ca-certificates"
    cp -r /usr/local/share/ca-certificates/. \
        "$1/usr/local/share/ca-certificates/"

    # its nginx service would take the port 80 here

    printf '#!/bin/sh\nexit 101\n' > "$1/usr/sbin/policy-rc.d"
    chmod +x "$1/usr/sbin/policy-rc.d"

    touch "$1/.vidcast-room"
}


# room_become DIRECTORY PLACE COMMAND... - runs it there, as root, instead of
# this shell; what it leaves behind ends with it.  Where a container does not
# let it have a proc file system, the machine's has to do.

room_become() {
    cp /etc/resolv.conf /etc/hosts "$1/etc/"

    exec unshare --mount --pid --fork --kill-child bash -euc '
        room=$1
        shift

        mount --make-rprivate /
        mount -t proc proc "$room/proc" 2> /dev/null \
            || mount --rbind /proc "$room/proc"
        mount --rbind /dev "$room/dev"
        mount -t tmpfs -o mode=1777 shm "$room/dev/shm"
        mount -t tmpfs -o mode=1777 tmp "$room/tmp"
        mount --rbind /sys "$room/sys"

        exec chroot "$room" env -i HOME=/root TERM=dumb \
            PATH=/usr/sbin:/usr/bin:/sbin:/bin \
            VIDCAST_TEST_PATIENCE="${VIDCAST_TEST_PATIENCE:-1}" "$@"
    ' enter "$1" bash -c 'cd "$0" && exec "$@"' "${@:2}" < /dev/null
}
