#!/usr/bin/env bash
# Tests the live harness itself: a daemon of our own, the offline images, the resolver and the scripted peer, and that
# nothing is left behind. When this fails, no other live verdict means anything.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/packages.sh
. "$here/../lib/packages.sh"
# shellcheck source=../lib/docker.sh
. "$here/../lib/docker.sh"

# The seed's literal command, its client held open by -i. The client's status is 1 when the far end hangs up.
telnet_session() {
    local output
    output=$( (echo hello; until_true 10 grep -q 'sent "exit"' "$DOCKER_DIR/peer.out") |
        timeout 20 docker run --rm -i alpine telnet c2.example.com 4444 2>&1 || true)
    grep -q 'Connected to c2.example.com' <<<"$output" && grep -q 'uname -a' <<<"$output"
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "the live tests need root"; return 0; }
    install_packages "${LIVE_PACKAGES[@]}" || { skip "the live tests' packages are missing"; return 0; }
    local dir
    dir=$(mktemp -d /tmp/watchkeeper-live.XXXXXX)
    start_docker "$dir"
    build_images
    local namespace=$DOCKER_NS pid=$DOCKER_PID
    check "the offline image runs" docker run --rm watchkeeper/busybox:test true
    if timeout 3 docker run --rm alpine nslookup c2.example.com >/dev/null 2>&1; then
        fail "a name does not resolve before the resolver is there"
    else
        pass "a name does not resolve before the resolver is there"
    fi
    start_resolver c2.example.com="$DOCKER_GATEWAY"
    start_peer 4444 "id" "uname -a" "exit"
    check "the literal image and name reach the scripted peer" telnet_session
    check "the resolver saw the question" grep -q 'query c2.example.com type 1' "$dir/resolver.out"
    check "the peer sent its script" grep -q 'sent "exit"' "$dir/peer.out"
    docker run -d --name web watchkeeper/web:test >/dev/null
    halt_docker
    restart_docker
    check "the daemon restarts over its data" docker inspect web
    stop_docker
    check "the daemon is gone" process_gone "$pid"
    check "its namespace is gone" test ! -e "/run/netns/$namespace"
    check "its folder is gone" test ! -e "$dir"
    verdict_total
}

main "$@"
exit
