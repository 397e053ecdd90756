#!/usr/bin/env bash
# Acts out the emulations of the strategy documents before a running agent: each must raise its alerts in time, and the
# benign controls none. ALL=1 runs all of them; without it, one of each document. FILTER=TEXT narrows them.
# On a busy host an act may take longer than the time in which its alert is expected: without ALL, what comes out wrong is acted
# once more, and both outcomes are printed.
# Debian's images are made by debootstrap, once, into the cache; where they are missing, what needs them is skipped.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/packages.sh
. "$here/../lib/packages.sh"
# shellcheck source=../lib/docker.sh
. "$here/../lib/docker.sh"
# shellcheck source=../lib/agent.sh
. "$here/../lib/agent.sh"

IMAGES=alpine:latest,busybox:latest,busybox:1.36,watchkeeper/web:test
DEBIAN=debian:12,debian:latest,debian:stable-slim,python:3-slim
# What acts may ask of the host. Not here: kubectl, a daemon or an agent of their own, a stand-in for a guarded process.
OFFERS=docker,bridge,resolver,peer,ptrace,bpf,host-pid,host-network,seccomp,cgroup,cgroup-v1

# debian_images: a small Debian with an interpreter or two, under the names that documents use.
debian_images() {
    local root=$CACHE/debian.tar image
    if [ ! -e "$root" ]; then
        install_packages debootstrap && make_debian "$root" || return 1
    fi
    for image in ${DEBIAN//,/ }; do
        docker import -c 'CMD ["bash"]' "$root" "$image" >/dev/null
    done
}

# plain_image NAME: as alpine, in which the shell executes the programs that it is told to run. BusyBox's own shell as
# Debian builds it runs its applets without executing anything, which no rule about processes can see.
plain_image() {
    local pairs=(/bin/dash=/bin/sh) library
    for library in $(ldd /bin/dash | grep -o '/[^ ]*'); do
        pairs+=("$library=$library")
    done
    import_image "$1" '["/bin/sh"]' "${pairs[@]}"
}

make_debian() {
    local folder
    folder=$(mktemp -d "$DOCKER_DIR/debian.XXXXXX")
    mkdir -p "$CACHE"
    debootstrap --variant=minbase --include=python3,perl,procps,cron,openssh-client bookworm "$folder" >"$DOCKER_DIR/debootstrap.log" 2>&1 ||
        { note "debootstrap failed: $(tail -n 2 "$DOCKER_DIR/debootstrap.log")"; return 1; }
    tar -C "$folder" -cf "$1.part" . && mv "$1.part" "$1"
    rm -rf "$folder"
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "the live tests need root"; return 0; }
    install_packages "${LIVE_PACKAGES[@]}" || { skip "the live tests' packages are missing"; return 0; }
    start_docker "$(mktemp -d /tmp/watchkeeper-live.XXXXXX)"
    build_images
    plain_image alpine:latest
    docker tag alpine:latest busybox:latest
    docker tag alpine:latest busybox:1.36
    local images=$IMAGES options=()
    if [ -n "${ALL:-}" ] || [ -e "$CACHE/debian.tar" ]; then
        if debian_images; then images=$images,$DEBIAN; else note "without Debian's images"; fi
    fi
    [ -n "${ALL:-}" ] || options+=(--one-per-family)
    [ -z "${FILTER:-}" ] || options+=(--filter "$FILTER")
    start_agent
    # Images that were there at the start are known; those of the acts are not.
    DOCKER_SOCKET=$DOCKER_DIR/docker.sock "$TARGET/release/emulations" --strategies "$REPO/strategies" \
        --alerts "$AGENT_DIR/alerts.ndjson" --offers "$OFFERS" --images "$images" \
        --resolver "nsenter --net=/run/netns/$DOCKER_NS $TARGET/release/testnet dns $DOCKER_GATEWAY:53" "${options[@]}"
}

main "$@"
exit
