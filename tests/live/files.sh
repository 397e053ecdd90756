#!/usr/bin/env bash
# Changes of watched files, each done live by a container or by the host: what changed, whose file it is, and who did it.
#
# The host's files are those of a scratch directory that the container mounts at /hostetc; nothing of the host's own is
# touched. What was found is read from the recording.
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

DIR=
HOST=
ID=

# The document with the scratch directory in the place of one of the host's files.
strategy() {
    awk -v host="$HOST" '/^    - \/root\/.ssh\/authorized_keys$/ && !done { print "    - " host "/**"; done = 1; next } { print }' \
        "$REPO/strategies/persistence/watched-login-files.md"
}

# found CONDITION: whether a change in the recording is so; `$host` and `$id` are the scratch directory and the container.
found() {
    grep -F '"file_change"' "$DIR/events.ndjson" |
        jq -es --arg host "$HOST" --arg id "$ID" \
            "any(.[]; (.kind.file_change as \$c | .owner.container? as \$by | .actor as \$actor | $1))"
}

# by_container NAME SHELL FILE CHANGE: the container does it, and the change of the host's file is its.
by_container() {
    docker exec files sh -c "$2"
    seen "$1" "\$by == \$id and \$c.host_path == \"$HOST/$3\" and \$c.path == \"/hostetc/$3\" and \$actor != null and (\$c.what | index(\"$4\"))"
}

seen() {
    if until_true 10 found "$2"; then
        pass "$1"
    else
        fail "$1: no change where $2"
        grep -F '"file_change"' "$DIR/events.ndjson" | tail -n 5 | cut -c 1-600 | sed 's/^/    /'
    fi
}

prepare() {
    local name
    mkdir -p "$HOST"
    for name in passwd group gone mode owner linked late plain swapped piped; do echo "$name:x:1:1" >"$HOST/$name"; done
    mkdir "$DIR/strategies"
    strategy >"$DIR/strategies/watched-login-files.md"
    printf '[files]\ncopies = "%s"\n' "$DIR/copies" >"$DIR/config.toml"
}

acts() {
    by_container "write through a mount" 'echo evil:x:0:0 >>/hostetc/passwd' passwd content
    seen "the diff shows the new line" '($c.host_path | endswith("/passwd")) and ($c.diff | tostring | contains("+evil:x:0:0"))'
    by_container "rename over" 'echo a >/hostetc/new; mv /hostetc/new /hostetc/group' group replaced
    by_container "creation" ': >/hostetc/made' made created
    by_container "removal" 'rm /hostetc/gone' gone deleted
    by_container "mode" 'chmod 4755 /hostetc/mode' mode permission
    by_container "owner" 'chown 7 /hostetc/owner' owner owner
    by_container "hard link" 'ln /hostetc/linked /hostetc/again' linked link
    by_container "write long after the opening" 'exec 3>>/hostetc/late; sleep 1; echo x >&3; sleep 1' late content
    by_container "a link in its place" 'ln -sf /dev/zero /hostetc/swapped' swapped type
    by_container "a pipe in its place" 'rm /hostetc/piped; mkfifo /hostetc/piped' piped type
    echo more >>"$HOST/plain"
    seen "a change by the host names no container" \
        '$c.host_path == ($host + "/plain") and ($c.what | index("content")) and $by == null'
    docker exec files sh -c 'echo toor:x:0:0 >>/etc/passwd'
    seen "its own file" '$by == $id and $c.container == $id and $c.path == "/etc/passwd" and ($c.what | index("content"))'
    docker exec files sh -c 'echo covered >/tmp/x; mount --bind /tmp/x /etc/passwd'
    seen "mount over" '$by == $id and $c.path == "/etc/passwd" and ($c.what | index("mount_over"))'
    if until_true 10 has_alert '.message | contains("has a line more with user number 0")'; then
        pass "the second root raises its alert"
    else
        fail "the second root raises its alert"
    fi
    check "the copies hold the known-good contents" grep -rqx 'passwd:x:1:1' "$DIR/copies"
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "the live tests need root"; return 0; }
    install_packages "${LIVE_PACKAGES[@]}" || { skip "the live tests' packages are missing"; return 0; }
    DIR=$(mktemp -d /tmp/watchkeeper-files.XXXXXX)
    HOST=$DIR/host
    start_docker "$DIR"
    build_images
    AGENT_DIR=$DIR
    trap 'stop_agent || true; stop_docker; rm -rf "$DIR"' EXIT
    prepare
    await_host
    "$TARGET/release/watchkeeper" watch --format json --strategies "$DIR/strategies" --config "$DIR/config.toml" \
        --record "$DIR/events.ndjson" >"$DIR/alerts.ndjson" 2>"$DIR/agent.err" &
    AGENT_PID=$!
    until_true 30 agent_said 'ready after' || die "the agent did not start: $(cat "$DIR/agent.err")"
    ID=$(docker run -d --name files --cap-add SYS_ADMIN --security-opt apparmor=unconfined -v "$HOST:/hostetc" \
        watchkeeper/busybox:test sleep 600)
    until_true 10 docker exec files true
    acts
    ends "the agent ends in order" 130 stop_agent
    verdict_total
}

main "$@"
exit
