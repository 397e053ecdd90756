#!/usr/bin/env bash
# The T1071 seed's own act, three ways: (a) its name does not resolve, (b) it resolves to a far end that says nothing
# of interest, (c) the far end sends commands. Each must raise an alert that names the container.
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

T1071='([.attacks[].technique.uid] | index("T1071"))'

# telnet_act NAME: the literal command, only with a container name added; -i keeps the client's input open.
telnet_act() {
    local name=$1
    shift
    (sleep 3) | timeout 20 docker run --rm -i --name "$name" alpine telnet "$@" >/dev/null 2>&1 || true
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "the live tests need root"; return 0; }
    install_packages "${LIVE_PACKAGES[@]}" || { skip "the live tests' packages are missing"; return 0; }
    start_docker "$(mktemp -d /tmp/watchkeeper-live.XXXXXX)"
    build_images
    start_agent
    telnet_act unresolved c2.example.com 4444
    expect_alert "telnet to a name that does not resolve" 5 "$T1071 and .container.name == \"unresolved\""
    start_resolver c2.example.com="$DOCKER_GATEWAY"
    start_peer 4444 "welcome"
    telnet_act resolved c2.example.com 4444
    expect_alert "telnet to port 4444" 5 \
        "$T1071 and .container.name == \"resolved\" and ([.evidences[].dst_endpoint.port?] | index(4444))"
    start_server commands peer "$DOCKER_GATEWAY:4445" "id" "uname -a" "cat /etc/passwd"
    telnet_act commanded c2.example.com 4445
    expect_alert "commands in plain text" 5 "$T1071 and .container.name == \"commanded\""
    check "every alert has the container's full id" \
        test "$(alert_count '(.container.uid // "" | test("^[0-9a-f]{64}$") | not)')" -eq 0
    check "no act of the ready marks raised an alert" test "$(alert_count '(.message | test("ready-"))')" -eq 0
    if agent_ended_well; then pass "the agent ends well on SIGINT"; else fail "the agent ends well on SIGINT"; fi
    verdict_total
}

# 1: alerts were raised; 130: interrupted.
agent_ended_well() {
    local status=0
    stop_agent || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 1 ] || [ "$status" -eq 130 ]
}

main "$@"
exit
