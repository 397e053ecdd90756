#!/usr/bin/env bash
# System logs live: lines that are written while the agent runs, to a file that is then moved away, to one that is emptied, with a
# forged time and behind a line of ten megabytes raise their alerts; a link in the place of a log is not followed, and said.
# Needs no Docker.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"

WATCHKEEPER=$TARGET/release/watchkeeper
LONG_BYTES=10000000

stamp() { date -u +%Y-%m-%dT%H:%M:%S.%6NZ; }

# act FOLDER: what a guesser, a rotation and a liar do to logs.
act() {
    local _
    for _ in $(seq 7); do
        echo "$(stamp) web sshd[1]: Failed password for eve from 192.0.2.77 port 4000 ssh2"
    done >>"$1/auth.log"
    mv "$1/auth.log" "$1/auth.log.1"
    echo "$(stamp) web sshd[1]: Accepted password for eve from 192.0.2.77 port 4000 ssh2" >"$1/auth.log"
    echo "$(stamp) web useradd[1]: new user: name=eve, UID=0, GID=0, home=/root, shell=/bin/bash" >"$1/emptied.log"
    echo 'type=CONFIG_CHANGE msg=audit(1450770603.209:1): audit_enabled=0 old=1 auid=1000 ses=1 res=1' >>"$1/audit.log"
    head -c "$LONG_BYTES" /dev/zero | tr '\0' x >>"$1/audit.log"
    echo >>"$1/audit.log"
    echo "type=SERVICE_STOP msg=audit(4450770603.209:1): pid=1 msg='unit=ufw comm=\"systemd\" res=success'" >>"$1/audit.log"
}

watched() {
    local title
    act "$1"
    for title in "Logins of one source fail again and again" "Login succeeds after many that failed" \
        "Account with the rights of root is made" "Auditing stops" "Service of defence is stopped"; do
        check "logs: $title" until_true 15 grep -q "$title" "$1/out"
    done
    check "logs: a link is not followed, and said" until_true 5 grep -q "link.log: is a symbolic link" "$1/out"
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "the live tests need root"; return 0; }
    local folder agent
    folder=$(mktemp -d /tmp/watchkeeper-logs.XXXXXX)
    : >"$folder/auth.log"
    : >"$folder/audit.log"
    seq 1000 >"$folder/emptied.log"
    ln -s /etc/shadow "$folder/link.log"
    cat >"$folder/config.toml" <<TOML
[logs]
journal = false
syslog = ["$folder/auth.log", "$folder/emptied.log"]
files = ["$folder/link.log", "$folder/audit.log"]
[docker]
enabled = false
TOML
    "$WATCHKEEPER" watch --config "$folder/config.toml" >"$folder/out" 2>"$folder/err" &
    agent=$!
    if until_true 60 grep -q "watching with" "$folder/err"; then
        watched "$folder"
    else
        fail "logs: the agent is ready: $(cat "$folder/err")"
    fi
    kill -INT "$agent"
    wait "$agent" || true
    check "logs: what was emptied and what was cut is counted" grep -q " 2 observations lost" "$folder/err"
    rm -rf "$folder"
    verdict_total
}

main "$@"
exit
