# Debian packages that the tests need, installed only where they are missing. Sourced after common.sh.
#
# qemu is unpacked into the cache and never installed: Debian 12's qemu-system-x86 would remove a newer qemu-utils
# from backports, and a test has no business changing that.

APT_UPDATED=

# The index is refreshed at most once, and only when something must be fetched.
apt_update_once() {
    [ -z "$APT_UPDATED" ] || return 0
    note "apt-get update"
    apt-get update -qq
    APT_UPDATED=1
}

installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

# install_packages NAME…: status 1 when a package cannot be had (no root, no mirror).
install_packages() {
    local missing=() name
    for name in "$@"; do
        installed "$name" || missing+=("$name")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    note "installing: ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        note "not root: run 'apt-get install ${missing[*]}'"
        return 1
    fi
    apt_update_once
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

BUILD_PACKAGES=(clang llvm libbpf-dev libc6-dev gcc)
LIVE_PACKAGES=(docker.io iptables iproute2 busybox-static jq procps util-linux)
KERNEL_PACKAGES=(busybox-static cpio zstd xz-utils gcc libc6-dev jq runc)
BENCH_PACKAGES=(bpftrace)
FUZZ_PACKAGES=(g++)

# qemu_command: prints the words that start qemu-system-x86_64, fetching it into the cache first where it is absent.
qemu_command() {
    if command -v qemu-system-x86_64 >/dev/null; then
        echo qemu-system-x86_64
        return
    fi
    local home=$CACHE/qemu
    [ -x "$home/run" ] || fetch_qemu "$home" || return 1
    echo "$home/run"
}

fetch_qemu() {
    local home=$1 part names deb
    apt_update_once || return 1
    part=$(mktemp -d "$CACHE/qemu.XXXXXX")
    names=$(apt-get install -s --no-install-recommends qemu-system-x86 | awk '/^Inst/ { print $2 }') || return 1
    note "fetching qemu into the cache: $(wc -w <<<"$names") packages"
    # shellcheck disable=SC2086 # a list of package names
    (cd "$part" && apt-get download -qq $names 2>"$part/apt.log") || { cat "$part/apt.log" >&2; return 1; }
    for deb in "$part"/*.deb; do
        dpkg-deb -x "$deb" "$part/root" || return 1
        rm "$deb"
    done
    cat >"$part/run" <<'RUN'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH
exec "$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" "$@"
RUN
    chmod +x "$part/run"
    "$part/run" --version >&2 || return 1
    mv -T "$part" "$home" 2>/dev/null || rm -r "$part" # another run won the race
}
