#!/usr/bin/env bash
# Whose act is it: many containers, up to 32 being started at a time, each living about 20 ms and doing one each of exec,
# connect, DNS question and write, all with its own mark. The recording is compared with the ids that Docker gave: every
# act must be there with the full id of its container, none with another. Each life also raises one alert, which must
# name the container and its image.
#
#   CONTAINERS=200 (default); PARALLEL=32
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
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

CONTAINERS=${CONTAINERS:-200}
PARALLEL=${PARALLEL:-32}
BODY='{"Image":"watchkeeper/act:test","Cmd":["/bin/act","life","@"],"HostConfig":{"NetworkMode":"none","LogConfig":{"Type":"none"}}}'

# Reads a recording; prints "KIND NUMBER CONTAINER" for each act that carries a mark.
ACTS='
def number: if type == "string" then capture("(^|/)life-(?<n>[0-9]+)($|\\.act\\.test$)").n else empty end;
def text: if type == "object" then .text else . end;
def of_address: ltrimstr("127.") | split(".") | map(tonumber - 1) | (.[0] * 250 + .[1]) * 250 + .[2];
(.owner.container? // "none") as $owner | .kind |
if .exec then [.exec.argv[]? | text | number][0] | select(.) | "exec \(.) \($owner)"
elif .file and .file.op == "create" then .file.path | text | number | "write \(.) \($owner)"
elif .dns and .dns.direction == "out" then .dns.query | text | number | "dns \(.) \($owner)"
elif .connection and .connection.op == "connect" and .connection.ends.remote_port == 4444
then "connect \(.connection.ends.remote_ip | of_address) \($owner)"
else empty end'

# live NUMBER…: creates, starts and removes the containers with these numbers, so that the host never holds them all.
BATCH=200
live() {
    local first last
    for ((first = 1; first <= CONTAINERS; first += BATCH)); do
        last=$((first + BATCH - 1 < CONTAINERS ? first + BATCH - 1 : CONTAINERS))
        api_all 8 POST '/containers/create?name=life-@' "$BODY" "$1/create.@" "$first" "$last"
        api_all "$PARALLEL" POST '/containers/life-@/start' '' "$1/start.@" "$first" "$last"
        until_true 60 all_ended
        api_all 8 DELETE '/containers/life-@?force=true' '' "$1/remove.@" "$first" "$last"
    done
}

all_ended() { [ -z "$(docker ps -q)" ]; }

# The truth, as "NUMBER ID" of each container that Docker says it started.
truth() {
    local number id
    for number in $(seq 1 "$CONTAINERS"); do
        id=$(jq -r '.Id // empty' "$1/create.$number" 2>/dev/null) || id=
        if [ -n "$id" ] && [ ! -s "$1/start.$number" ]; then echo "$number $id"; fi
    done
}

# compare TRUTH ACTS: prints "EXPECTED RIGHT WRONG MISSING" over the four kinds.
compare() {
    awk '
        NR == FNR { id[$1] = $2; expected += 4; next }
        !($2 in id) { wrong++; next }
        $3 == id[$2] { if (!seen[$1, $2]++) right++; next }
        { wrong++ }
        END { print expected + 0, right + 0, wrong + 0, expected - right }
    ' "$1" "$2"
}

recorded() { grep -qF "\"$1\"" "$AGENT_DIR/events.ndjson"; }

main() {
    [ "$(id -u)" -eq 0 ] || { skip "the live tests need root"; return 0; }
    install_packages "${LIVE_PACKAGES[@]}" curl gcc libc6-dev || { skip "the live tests' packages are missing"; return 0; }
    local dir out expected right wrong missing raised named
    start_docker "$(mktemp -d /tmp/watchkeeper-live.XXXXXX)"
    dir=$DOCKER_DIR
    out=$dir/out
    mkdir "$out"
    build_load "$dir/load"
    build_images
    import_image watchkeeper/act:test '["/bin/act"]' "$dir/load/act=bin/act"
    start_agent
    live "$out"
    truth "$out" >"$dir/truth"
    # The last act of all has come through, and holds have ended.
    docker run --rm watchkeeper/busybox:test sh -c ': attribution-end'
    until_true 60 recorded ': attribution-end' || note "the recording lags more than 60 s behind"
    grep -E 'life-[0-9]+|"remote_port":4444' "$dir/events.ndjson" | jq -r "$ACTS" >"$dir/acts"
    read -r expected right wrong missing < <(compare "$dir/truth" "$dir/acts")
    check "at least 98 % of $CONTAINERS containers were started" test "$(wc -l <"$dir/truth")" -ge $((CONTAINERS * 98 / 100))
    at_most "acts without the right owner, of $expected" "$missing" 0
    at_most "acts with a wrong owner" "$wrong" 0
    check_alerts "$dir"
    row "owner of $expected acts in $(wc -l <"$dir/truth") containers, $PARALLEL at a time, 20 ms" \
        "$right right, $wrong wrong, $missing missing" "100 % right, 0 wrong"
    stop_agent || true
    tail -n 1 "$dir/agent.err" >&2
    verdict_total
}

# The first message about each life names container and image.
check_alerts() {
    local raised named
    jq -r 'select(.activity_id == 1 and ((.container.uid // "") != "")) |
        select([.. | strings | select(test("life-[0-9]+\\.act\\.test"))] | length > 0) |
        "\(.container.uid) \(.container.name // "-") \(.container.image.name // "-")"' "$1/alerts.ndjson" >"$1/alerted"
    raised=$(awk 'NR == FNR { n[$2] = 1; next } $1 in n && !s[$1]++ { c++ } END { print c + 0 }' "$1/truth" "$1/alerted")
    named=$(awk 'NR == FNR { n[$2] = $1; next } $1 in n && ($2 == "life-" n[$1]) && $3 ~ /act/ && !s[$1]++ { c++ } END { print c + 0 }' \
        "$1/truth" "$1/alerted")
    at_least "lives that raised their alert" "$raised" "$(wc -l <"$1/truth")"
    at_least "first alerts with name and image, of $raised" "$named" $((raised * 999 / 1000))
    row "alerts with name and image when first sent" "$named of $raised" "≥ 99.9 %"
}

main "$@"
exit
