# Load generators and measurements. Sourced after common.sh.

# build_load DIR: the programs of tests/load, static, in DIR.
build_load() {
    local name
    mkdir -p "$1"
    for name in mix act stamp storm; do
        gcc -O2 -Wall -static -pthread -o "$1/$name" "$REPO/tests/load/$name.c"
    done
    gcc -O2 -nostdlib -static -o "$1/nothing" "$REPO/tests/load/nothing.c"
}

# quantile P: the P-quantile (0 to 1, nearest rank) of the numbers on standard input, one per line.
quantile() {
    sort -n | awk -v p="$1" '
        { value[NR] = $1 }
        END { if (NR == 0) { print "nan"; exit } rank = int(p * NR); if (rank < p * NR) rank++; if (rank < 1) rank = 1; print value[rank] }'
}

# interval: median of the numbers on standard input, then the order statistics that enclose it with at least 95 %
# certainty whatever their distribution (sign test): "MEDIAN LOW HIGH". Needs 6 numbers.
interval() {
    sort -n | awk '
        { value[NR] = $1 }
        END {
            # Largest k with P(fewer than k of n are below the median) <= 2.5 %.
            term = 0.5 ^ NR; sum = term
            for (k = 0; sum <= 0.025; ) { k++; term *= (NR - k + 1) / k; sum += term }
            if (k < 1) k = 1
            middle = NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2
            print middle, value[k], value[NR - k + 1]
        }'
}

# at_least NAME VALUE LIMIT and at_most: verdicts about a measured number.
at_least() { check "$1: $2, must reach $3" awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "nan" && a + 0 >= b + 0) }'; }
at_most() { check "$1: $2, at most $3" awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "nan" && a + 0 <= b + 0) }'; }

# row NAME VALUE MUST: a line of the standing table, with the load average, on standard output and in the file that ROWS names.
row() {
    local line
    line=$(printf '| %s | %s | %s | %s |' "$1" "$2" "$3" "$(cut -d' ' -f1 /proc/loadavg)")
    printf '%s\n' "$line"
    [ -z "${ROWS:-}" ] || printf '%s\n' "$line" >>"$ROWS"
}

# api METHOD PATH [BODY]: one request to the test's Docker.
api() {
    local body=()
    [ $# -lt 3 ] || body=(-H 'Content-Type: application/json' -d "$3")
    curl -sS --fail-with-body --unix-socket "${DOCKER_HOST#unix://}" -X "$1" "${body[@]}" "http://docker/v1.40$2"
}

# api_all PARALLEL METHOD PATH BODY OUTPUT FIRST LAST: one request for each number, which replaces @ in PATH, BODY and
# OUTPUT. One client for all: a docker command for each would cost more than what it asks for.
api_all() {
    local number list
    list=$(mktemp)
    for number in $(seq "$6" "$7"); do
        [ "$number" -eq "$6" ] || echo next
        printf 'url = "http://docker/v1.40%s"\nrequest = "%s"\nunix-socket = "%s"\nsilent\n' \
            "${3//@/$number}" "$2" "${DOCKER_HOST#unix://}"
        [ -z "$4" ] || printf 'header = "Content-Type: application/json"\ndata = %s\n' "$(jq -Rs . <<<"${4//@/$number}")"
        printf 'output = "%s"\n' "${5//@/$number}"
    done >"$list"
    curl -sS --no-progress-meter --parallel --parallel-max "$1" --parallel-immediate --config "$list" || true
    rm "$list"
}

# example PACKAGE NAME: builds it; as it is where NO_BUILD is set.
example() {
    [ -n "${NO_BUILD:-}" ] || (cd "$REPO" && cargo build -q --release --locked -p "$1" --example "$2")
}
