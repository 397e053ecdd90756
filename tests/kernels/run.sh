#!/usr/bin/env bash
# Runs a program in virtual machines with Debian's stock kernels.
#
#   tests/kernels/run.sh                                   the event test of Watchkeeper on every kernel and on this host
#   tests/kernels/run.sh --binary PATH [--args "ARGS…"]    that program alone; its output is printed
#
# Options: --kernels "5.10 6.1 6.12 running" (`running`: this host, of the event test alone), --memory MB (1024), --timeout SECONDS (240), --file PATH (also put into /data,
# repeatable), --script FILE (instead of running the program directly), --keep (leaves the folder of each guest).
# A kernel that cannot be fetched is SKIPPED, with the reason.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/packages.sh
. "$here/../lib/packages.sh"
# shellcheck source=fetch.sh
. "$here/fetch.sh"
# shellcheck source=guest.sh
. "$here/guest.sh"
# shellcheck source=events.sh
. "$here/events.sh"

KERNELS=
STOCK_KERNELS="5.10 6.1 6.12"
MEMORY=1024
TIMEOUT=240
BINARY=
ARGS=
SCRIPT=
KEEP=
FILES=()
WORK=
KERNELS_DIR=$here
TEST=events

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
            --kernels) KERNELS=$2; shift ;;
            --memory) MEMORY=$2; shift ;;
            --timeout) TIMEOUT=$2; shift ;;
            --binary) BINARY=$2; TEST=program; shift ;;
            --args) ARGS=$2; shift ;;
            --script) SCRIPT=$2; shift ;;
            --file) FILES+=("$2"); shift ;;
            --keep) KEEP=1 ;;
            *) die "unknown option $1" ;;
        esac
        shift
    done
}

# run_program VERSION FOLDER: the guest runs the given program, or the given script with the program in its path.
run_program() {
    local version=$1 folder=$2 root=$2/root kernel file
    kernel=$(fetch_kernel "$version") || { skip "kernel $version: it could not be fetched"; return; }
    base_root "$root"
    copy_modules "$root" "$kernel" overlay
    copy_program "$root" "$BINARY"
    mkdir -p "$root/data"
    for file in "${FILES[@]}"; do cp -r "$file" "$root/data/"; done
    if [ -n "$SCRIPT" ]; then
        cp "$SCRIPT" "$root/script"
    else
        printf 'ulimit -l unlimited\ncd /data\n%s %s\n' "/bin/$(basename "$BINARY")" "$ARGS" >"$root/script"
    fi
    echo "== kernel $(cat "$kernel/release")"
    if boot "$version" "$root" "$folder" "$MEMORY" "$TIMEOUT"; then
        sed '/^status=/d' "$folder/output.txt"
        if grep -aqx 'status=0' "$folder/output.txt"; then
            pass "kernel $version"
        else
            fail "kernel $version: the program ended with $(grep -a '^status=' "$folder/output.txt")"
        fi
    else
        cat "$folder/output.txt"
        tail -n 20 "$folder/console.txt"
        fail "kernel $version: the guest did not reach its end"
    fi
}

main() {
    parse "$@"
    mkdir -p "$CACHE"
    install_packages "${KERNEL_PACKAGES[@]}" || { skip "the guests' packages are missing"; verdict_total; return; }
    qemu_command >/dev/null || { skip "qemu cannot be had"; verdict_total; return; }
    local version
    WORK=$(mktemp -d)
    [ -n "$KEEP" ] || trap 'rm -rf "$WORK"' EXIT
    [ -z "$KEEP" ] || note "folders of the guests: $WORK"
    if [ "$TEST" = events ]; then
        BINARY=$TARGET/release/watchkeeper
        [ -x "$BINARY" ] || die "$BINARY is missing: run 'cargo build --release' first"
        build_actor "$WORK/actor"
        KERNELS=${KERNELS:-$STOCK_KERNELS $HERE}
    fi
    for version in ${KERNELS:-$STOCK_KERNELS}; do
        mkdir -p "$WORK/$version"
        if [ "$version" = "$HERE" ]; then
            run_here "$WORK/$version"
        else
            "run_$TEST" "$version" "$WORK/$version"
        fi
    done
    verdict_total
}

main "$@"
exit
