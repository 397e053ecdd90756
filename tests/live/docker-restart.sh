#!/usr/bin/env bash
# Docker stopped and started again in mid-run: said, recorded, and containers that come later have names.
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

recorded() { grep -qF -- "$1" "$AGENT_DIR/events.ndjson"; }

telnet_act() { (sleep 2) | timeout 20 docker run --rm -i --name "$1" alpine telnet c2.example.com 4444 >/dev/null 2>&1 || true; }

named() { printf '.container.name == "%s" and .container.image.name == "alpine" and (.container.uid | test("^[0-9a-f]{64}$"))' "$1"; }

main() {
    [ "$(id -u)" -eq 0 ] || { skip "the live tests need root"; return 0; }
    install_packages "${LIVE_PACKAGES[@]}" || { skip "the live tests' packages are missing"; return 0; }
    start_docker "$(mktemp -d /tmp/watchkeeper-live.XXXXXX)"
    build_images
    start_agent
    docker run -d --name stays watchkeeper/web:test >/dev/null
    telnet_act before
    expect_alert "before: named" 5 "$(named before)"
    halt_docker
    check "Docker stopped: said" until_true 15 agent_said 'Docker: '
    check "Docker stopped: recorded as health" until_true 5 recorded '"health":{"signal":"docker","state":"down"'
    restart_docker
    check "Docker started again: said" until_true 20 agent_said 'Docker answers again'
    telnet_act later
    expect_alert "a container that came later: named" 5 "$(named later)"
    docker start stays >/dev/null
    (sleep 2) | timeout 20 docker exec -i stays telnet c2.example.com 4445 >/dev/null 2>&1 || true
    expect_alert "a container from before, started again: named" 5 '.container.name == "stays"'
    ends "the agent ends well" 130 stop_agent INT
    verdict_total
}

main "$@"
exit
