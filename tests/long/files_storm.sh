#!/usr/bin/env bash
# A storm of changes: CONTAINERS containers make FILES watched files together, each in its own name. Every change must be
# seen or counted as lost, and none be given to another container.
#
#   FILES=100000 CONTAINERS=20
#
# What was seen is read from the recording: a change of a watched file (class watched_file) says which container did it,
# and the file's name says which one really did.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"
# shellcheck source=../lib/packages.sh
. "$here/../lib/packages.sh"
# shellcheck source=../lib/docker.sh
. "$here/../lib/docker.sh"
# shellcheck source=../lib/agent.sh
. "$here/../lib/agent.sh"

FILES=${FILES:-100000}
CONTAINERS=${CONTAINERS:-20}
DIR=

# The one strategy of this watch: all files of /storm in each container.
strategy() {
    sed -e 's/^    - \/root\/.ssh\/authorized_keys$/    - \/storm\/**/' "$REPO/strategies/persistence/watched-login-files.md"
}

settled() {
    local now
    now=$(stat -c %s "$DIR/events.ndjson")
    sleep 3
    [ "$(stat -c %s "$DIR/events.ndjson")" -lt $((now + 65536)) ]
}

main() {
    local each=$((FILES / CONTAINERS)) number seen changed lost wrong named
    install_packages "${LIVE_PACKAGES[@]}" || die "packages are missing"
    DIR=$(mktemp -d /tmp/watchkeeper-storm.XXXXXX)
    start_docker "$DIR"
    build_images
    AGENT_DIR=$DIR
    trap 'stop_agent || true; stop_docker; rm -rf "$DIR"' EXIT
    mkdir "$DIR/strategies"
    strategy >"$DIR/strategies/watched-login-files.md"
    await_host
    "$TARGET/release/watchkeeper" watch --format json --strategies "$DIR/strategies" --record "$DIR/events.ndjson" \
        >"$DIR/alerts.ndjson" 2>"$DIR/agent.err" &
    AGENT_PID=$!
    until_true 30 agent_said 'ready after' || die "the agent did not start: $(cat "$DIR/agent.err")"
    for number in $(seq "$CONTAINERS"); do
        docker run -d --name "storm-$number" watchkeeper/busybox:test sh -c \
            'mkdir -p /storm; until [ -e /storm/go ]; do sleep 0.05; done; i=0; while [ $i -lt '"$each"' ]; do echo $i >/storm/n'"$number"'-$i; i=$((i + 1)); done; : >/storm/done; sleep 600' >/dev/null
    done
    for number in $(seq "$CONTAINERS"); do docker exec "storm-$number" sh -c ': >/storm/go'; done
    for number in $(seq "$CONTAINERS"); do
        until_true 300 docker exec "storm-$number" test -e /storm/done || die "container $number did not end its storm"
    done
    until_true 300 settled || note "the recording keeps growing"
    docker ps --no-trunc --format '{{.Names}} {{.ID}}' | awk '{ sub("storm-", "", $1); print $1, $2 }' >"$DIR/ids"
    stop_agent || [ $? -eq 130 ] || die "the agent failed: $(tail -n 3 "$DIR/agent.err")"
    # Container and name of each watched file that was found made, and of each that the kernel sensor reported.
    jq -r 'select(.kind.file_change?.path // "" | tostring | startswith("/storm/n"))
           | [(.owner.container? // "-"), (.kind.file_change.path | ltrimstr("/storm/n"))] | @tsv' "$DIR/events.ndjson" |
        sort -u >"$DIR/changes"
    jq -r 'select(.kind.file? | objects | .op == "create" and (.path | tostring | startswith("/storm/n")))
           | [(.owner.container? // "-"), (.kind.file.path | ltrimstr("/storm/n"))] | @tsv' "$DIR/events.ndjson" |
        sort -u >"$DIR/seen"
    seen=$(wc -l <"$DIR/seen")
    changed=$(cut -f 2 "$DIR/changes" | sort -u | wc -l)
    lost=$(jq -s '[.[].kind.loss? | objects | select(.at == "ring_file" or .at == "integrity") | .count] | add // 0' \
        <(grep -F '"loss"' "$DIR/events.ndjson"))
    wrong=$(awk -F '\t' 'NR == FNR { split($0, f, " "); id[f[1]] = f[2]; next }
        { split($2, n, "-"); if ($1 != "-" && $1 != id[n[1]]) wrong++ } END { print wrong + 0 }' \
        "$DIR/ids" "$DIR/changes")
    named=$(awk -F '\t' '$1 != "-"' "$DIR/changes" | wc -l)
    row "$FILES watched files made by $CONTAINERS containers at once" \
        "$seen acts seen, $changed changes with hashes, $named of them with their container, $wrong with another; $lost counted as lost" \
        "seen + lost ≥ all, 0 wrong"
    check "every change is seen or counted as lost" test $((changed + lost)) -ge $((each * CONTAINERS))
    check "every act is seen or counted as lost" test $((seen + lost)) -ge $((each * CONTAINERS))
    check "none is given to another container" test "$wrong" -eq 0
    verdict_total
}

main "$@"
exit
