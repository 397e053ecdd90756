#!/usr/bin/env bash
# Text that an attacker writes, control groups that a container makes, ids that are used again: the owner stays right,
# alerts stay one line of JSON each, and nothing that a terminal would act on comes out. The same alerts come from the
# recording, byte for byte. At the end, outputs that cannot be written, and the engine's sandbox before a real socket.
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

# A line end that fakes an alert, screen and title sequences, 8-bit controls, text direction, quotes, format letters.
HOSTILE=(
    $'x\n{"class_uid":2004,"message":"forged"}'
    $'\e[2J\e[1;1H\e]0;owned\a\r\t\b'
    $'\u009b2J\u202egnp.exe\u2066\ufeff\U000e0041'
    '"}],"container":{"name":"other"}} \ %s %n {} ${jndi:x} <script>'
    "$(printf 'A%.0s' {1..4096})"
)
# Controls other than line ends, text direction and invisible format characters.
UNSAFE='[\x00-\x09\x0b-\x1f\x7f\x{80}-\x{9f}\x{ad}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{feff}\x{e0000}-\x{e007f}]'

# run_act NAME ARG…: a container that lives about a second; its id goes to DIR/NAME.id.
run_act() {
    local name=$1
    shift
    (sleep 1) | timeout 20 docker run -i --cidfile "$DOCKER_DIR/$name.id" --name "$name" "$@" >/dev/null 2>&1 || true
}

# right NAME: the alerts that name this container have its id, and there is one.
right() {
    local id
    id=$(cat "$DOCKER_DIR/$1.id")
    has_alert ".container.name == \"$1\" and .container.uid == \"$id\"" &&
        [ "$(alert_count ".container.name == \"$1\" and .container.uid != \"$id\"")" -eq 0 ]
}

hostile_text() {
    local i name text
    for i in "${!HOSTILE[@]}"; do
        text=${HOSTILE[$i]}
        run_act "argv-$i" --label "evil=$text" -e "EVIL=$text" alpine telnet -l "$text" c2.example.com 4444
        check "hostile argv, label and environment $i: right owner" until_true 5 right "argv-$i"
        # One part of a path holds 255 bytes; the name must begin with busybox for it to run.
        run_act "file-$i" -e "TEXT=${text:0:120}" alpine sh -c \
            'f="/tmp/busybox$(printf %s "$TEXT" | tr / _)"; cp /bin/busybox "$f"; exec "$f" telnet c2.example.com 4444'
        check "hostile file name $i: right owner" until_true 5 right "file-$i"
    done
    run_act invalid alpine sh -c 't=$(printf "\377\376\300\200\355\240\200\033[2J"); cp /bin/busybox "/tmp/busybox$t"
        exec "/tmp/busybox$t" telnet -l "$t" c2.example.com 4444'
    check "invalid UTF-8 in argv and file name: right owner" until_true 5 right invalid
    run_act deep alpine sh -c 'p=$(printf "d%.0s" $(seq 200)); for i in $(seq 18); do mkdir $p; cd $p; done
        cp /bin/busybox busybox; exec ./busybox telnet c2.example.com 4444'
    check "a path of 3.6 kB: right owner" until_true 5 right deep
    if docker create --name $'evil\n\e[2J' alpine >/dev/null 2>&1; then
        fail "Docker refuses a name with controls (a replay below gives it one all the same)"
    else
        pass "Docker refuses a name with controls (a replay below gives it one all the same)"
    fi
}

# Each of these containers sees the host's control groups and moves itself into one that is named like another container.
forged_groups() {
    local root=/sys/fs/cgroup own id fake n=0 place
    fake=$(printf 'f%.0s' {1..64})
    [ ! -d "$root/unified" ] || root=$root/unified
    for place in "own/$fake" "own/docker/$fake" "own/docker-$fake.scope" "docker/$fake"; do
        n=$((n + 1))
        id=$(docker run -d --name "forger-$n" -v "$root:/cg" alpine sleep 60)
        echo "$id" >"$DOCKER_DIR/forger-$n.id"
        own=$(sed -n 's/^0:://p' "/proc/$(docker inspect -f '{{.State.Pid}}' "forger-$n")/cgroup")
        place=${place/#own/$own}
        (sleep 1) | timeout 20 docker exec -i "forger-$n" sh -c "mkdir -p '/cg/$place' && echo \$\$ >'/cg/$place/cgroup.procs' &&
            : moved-$n && echo moved >/tmp/moved && exec telnet c2.example.com 4444" >/dev/null 2>&1 || true
        check "forged control group $n: it was made" docker exec "forger-$n" cat /tmp/moved
        check "forged control group $n: the container that made it is the owner" until_true 5 right "forger-$n"
        docker rm -f "forger-$n" >/dev/null
        rmdir "$root/$place" 2>/dev/null || true
    done
    check "no event and no alert has the forged id as its owner" eval \
        '! grep -qE "\"owner\":\{\"container\":\"f{64}\"" "$AGENT_DIR/events.ndjson" && [ "$(alert_count ".container.uid == \"'"$fake"'\"")" -eq 0 ]'
}

# Pids are handed out again from the same number on for each container.
reused_pids() {
    local base n last=/proc/sys/kernel/ns_last_pid
    [ -w "$last" ] || { skip "pids cannot be reused at will: no $last"; return 0; }
    base=$(cat "$last")
    for n in 1 2 3 4 5 6; do
        echo "$base" >"$last"
        run_act "reuse-$n" alpine sh -c "for i in \$(seq 80); do /bin/busybox echo reuse-$n; done; exec telnet -l reuse-$n c2.example.com 4444"
    done
    for n in 1 2 3 4 5 6; do
        check "reused pids $n: right owner" until_true 5 right "reuse-$n"
        check "reused pids $n: its own command line" \
            has_alert ".container.name == \"reuse-$n\" and ([.evidences[].process.cmd_line?] | any(. != null and contains(\"reuse-$n\")))"
    done
    # The client on the host has the name among its arguments as well.
    grep -F '"reuse-' "$AGENT_DIR/events.ndjson" | jq -r 'select(.kind.exec) |
        [.kind.exec.argv[] | if type == "object" then .text else . end] as $argv | select($argv[0] != "docker") |
        "\(.actor.pid) \([$argv[] | select(startswith("reuse-"))][0]) \(.owner.container)"' \
        >"$DOCKER_DIR/reused"
    check "the same pid ran in several containers" eval \
        '[ "$(awk "{ print \$1, \$3 }" "$DOCKER_DIR/reused" | sort -u | cut -d" " -f1 | sort | uniq -d | wc -l)" -gt 0 ]'
    check "every process of a reused pid has its own container" all_own
}

all_own() {
    local pid name owner
    while read -r pid name owner; do
        [ "$owner" = "$(cat "$DOCKER_DIR/$name.id")" ] || { echo "pid $pid of $name is said to be of $owner"; return 1; }
    done <"$DOCKER_DIR/reused"
}

replay() { "$TARGET/release/watchkeeper" replay --strategies "$REPO/strategies" "$@"; }

one_line_each() {
    jq -e 'select(.class_uid != 2004)' "$1" && return 1
    [ "$(jq -c . "$1" | wc -l)" -eq "$(wc -l <"$1")" ]
}

safe() { ! LC_ALL=C.UTF-8 grep -naP "$UNSAFE" "$1" | cat -v && iconv -f UTF-8 -t UTF-8 "$1" >/dev/null; }

outputs() {
    local dir=$AGENT_DIR
    ends "the agent ends well" 130 stop_agent INT
    check "alerts are one line of JSON each" one_line_each "$dir/alerts.ndjson"
    replay --format json "$dir/events.ndjson" >"$dir/replayed.ndjson" || true
    check "replay gives the live alerts byte for byte" cmp "$dir/alerts.ndjson" "$dir/replayed.ndjson"
    replay --format json "$dir/events.ndjson" >"$dir/again.ndjson" || true
    check "a second replay gives the same" cmp "$dir/replayed.ndjson" "$dir/again.ndjson"
    replay --format text "$dir/events.ndjson" >"$dir/text" || true
    check "there are alerts as text" grep -q 'forged' "$dir/text"
    check "alerts as text have nothing that a terminal acts on" safe "$dir/text"
    replay --format falco "$dir/events.ndjson" >"$dir/falco" || true
    check "Falco's form is one line of JSON each" test "$(jq -c . "$dir/falco" | wc -l)" -eq "$(wc -l <"$dir/falco")"
    # What Docker's own rules forbid may still come from another runtime or a forged daemon.
    jq -c --arg evil "${HOSTILE[1]}${HOSTILE[0]}${HOSTILE[2]}" 'if .kind.container?.record? then .kind.container.record |=
        (.name = $evil | .image = $evil | .labels = [["evil", $evil]]) else . end' "$dir/events.ndjson" >"$dir/forged.ndjson"
    replay --format text "$dir/forged.ndjson" >"$dir/text" 2>"$dir/err" || true
    check "hostile container and image names: read" eval '[ -s "$AGENT_DIR/text" ] && ! [ -s "$AGENT_DIR/err" ]'
    check "hostile container and image names: nothing that a terminal acts on" safe "$dir/text"
    replay --format json "$dir/forged.ndjson" >"$dir/again.ndjson" || true
    check "hostile container and image names: one line of JSON each" one_line_each "$dir/again.ndjson"
}

# `watch | head -n 1`, and a full output.
closed_outputs() {
    mkfifo "$AGENT_DIR/pipe"
    head -n 1 <"$AGENT_DIR/pipe" >"$AGENT_DIR/first" &
    AGENT_OUT=$AGENT_DIR/pipe start_watch
    run_act closed-1 alpine telnet c2.example.com 4444
    run_act closed-2 alpine telnet c2.example.com 4444
    ends "a reader that goes: the agent ends with 0" 0 agent_status 10
    check "a reader that goes: it got its line" one_line_each "$AGENT_DIR/first"
    check "a reader that goes: no error is said" eval '! agent_said error'
    check "a reader that goes: no process is left" until_true 5 none_marked
    AGENT_OUT=/dev/full start_watch
    run_act full alpine telnet c2.example.com 4444
    ends "a full output: status 3" 3 agent_status 10
    check "a full output: said" agent_said 'error: cannot write to standard output: No space left'
    check "a full output: no process is left" until_true 5 none_marked
}

# with_socket COMMAND…: with the test's Docker socket at its usual place, open to everyone.
with_socket() {
    unshare --mount sh -c 'mount -t tmpfs -o mode=755 none /run && touch /run/docker.sock && mount --bind "$0" /run/docker.sock && exec "$@"' \
        "${DOCKER_HOST#unix://}" "$@"
}

probe_refused() {
    local output
    output=$(with_socket "$@" "$TARGET/release/watchkeeper" process sandbox-probe)
    echo "$output"
    grep -q '^open docker.sock: refused' <<<"$output" && grep -q '^connect docker.sock: refused' <<<"$output" &&
        ! grep -qE 'ALLOWED|missing' <<<"$output"
}

sandbox() {
    chmod 666 "${DOCKER_HOST#unix://}"
    check "without the sandbox the engine's user reaches this socket" \
        with_socket setpriv --reuid 61313 --regid 61313 --clear-groups curl -sS --fail --unix-socket /var/run/docker.sock http://docker/_ping
    check "in the sandbox the engine's user reaches nothing" probe_refused setpriv --reuid 61313 --regid 61313 --clear-groups
    check "in the sandbox even root reaches nothing" probe_refused env
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "the live tests need root"; return 0; }
    install_packages "${LIVE_PACKAGES[@]}" curl || { skip "the live tests' packages are missing"; return 0; }
    start_docker "$(mktemp -d /tmp/watchkeeper-live.XXXXXX)"
    build_images
    start_resolver c2.example.com="$DOCKER_GATEWAY"
    start_peer 4444 "welcome"
    start_agent
    hostile_text
    forged_groups
    reused_pids
    outputs
    closed_outputs
    sandbox
    verdict_total
}

main "$@"
exit
