# The event test: the agent records in a guest while script.sh acts; the recording must hold what expected.tsv says.
# Sourced by run.sh.

# The agent's command in the guest.
AGENT=${WATCHKEEPER_GUEST_COMMAND:-/bin/watchkeeper watch --record /tmp/recording.ndjson --format json}

# The name that stands for the kernel of this host.
HERE=running

# The kernel whose guest also runs containers by runc.
RUNC_KERNEL=6.12

build_actor() {
    gcc -O2 -Wall -Wextra -static -o "$1" "$KERNELS_DIR/actor.c" || die "tests/kernels/actor.c does not build"
}

# settings AGENT RUNC TREE ACTOR CLOCK: what script.sh reads.
settings() { printf "AGENT='%s'\nRUNC=%s\nTREE=%s\nACTOR=%s\nCLOCK=%s\n" "$@"; }

events_root() {
    local version=$1 root=$2 kernel=$3 runc=
    base_root "$root"
    # loop and the like are not wanted: overlay for runc's root, ipv6 and unix are built in.
    copy_modules "$root" "$kernel" overlay
    copy_program "$root" "$BINARY" watchkeeper
    install -m 755 "$WORK/actor" "$root/bin/actor"
    if [ "$version" = "$RUNC_KERNEL" ]; then
        copy_program "$root" "$(command -v runc || echo /usr/sbin/runc)"
        runc=1
    fi
    settings "$AGENT" "$runc" /sys/fs/cgroup /bin/actor 1 >"$root/settings"
    cp "$KERNELS_DIR/config.json" "$root/config.json"
    cp "$KERNELS_DIR/script.sh" "$root/script"
    if [ -d "$REPO/strategies" ]; then cp -r "$REPO/strategies" "$root/strategies"; fi
}

# run_events VERSION FOLDER
run_events() {
    local version=$1 folder=$2 kernel
    kernel=$(fetch_kernel "$version") || { skip "kernel $version: it could not be fetched"; return; }
    events_root "$version" "$folder/root" "$kernel"
    echo "== kernel $(cat "$kernel/release")"
    if ! boot "$version" "$folder/root" "$folder" "$MEMORY" "$TIMEOUT"; then
        fail "kernel $version: the guest did not reach its end"
        tail -n 40 "$folder/output.txt" "$folder/console.txt"
        return
    fi
    check_output "$version" "$folder"
}

# check_output VERSION FOLDER: the verdicts on output.txt, which holds what script.sh printed and its status.
check_output() {
    local version=$1 folder=$2
    if grep -aqx 'status=0' "$folder/output.txt"; then
        pass "kernel $version: every act was done and the agent ended well"
    else
        fail "kernel $version: the script of acts"
        sed '/^== recording/,/^== end/d' "$folder/output.txt" | sed 's/^/    /'
    fi
    sed -n '/^== recording/,/^== end/p' "$folder/output.txt" | sed '1d;$d' | base64 -d | gzip -dc >"$folder/recording.ndjson" || {
        fail "kernel $version: the recording cannot be read"
        return
    }
    check_recording "$version" "$folder" "$KERNELS_DIR/expected.tsv"
    # The wall clock of this host is not the test's to step.
    if [ "$version" != "$HERE" ]; then check_recording "$version" "$folder" "$KERNELS_DIR/expected-clock.tsv"; fi
    if [ "$version" = "$RUNC_KERNEL" ]; then check_recording "$version" "$folder" "$KERNELS_DIR/expected-runc.tsv"; fi
    print_kinds "$folder/recording.ndjson"
}

# run_here FOLDER: the same acts on this host, in a network and a mount namespace of their own, where a fresh folder
# stands for /tmp. The agent is outside, as it is for real containers.
run_here() {
    local folder=$1 tree agent
    [ "$(id -u)" -eq 0 ] || { skip "kernel $HERE: not root"; return; }
    tree=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup2" && $4 == "/") { print $5; exit } }' /proc/self/mountinfo)
    [ -n "$tree" ] || { skip "kernel $HERE: no cgroup2 is mounted"; return; }
    mkdir -m 1777 "$folder/tmp"
    cp "$KERNELS_DIR/script.sh" "$folder/tmp/script"
    cp "$WORK/actor" "$folder/tmp/actor"
    agent="nsenter --mount=/proc/$$/ns/mnt --net=/proc/$$/ns/net $BINARY watch --record $folder/tmp/recording.ndjson --format json"
    settings "$agent" '' "$tree" /tmp/actor '' >"$folder/tmp/settings"
    echo "== kernel $(uname -r)"
    unshare --mount --net --propagation private sh -c \
        'mount --bind "$0" /tmp && ip link set lo up && cd / && timeout -k 5 "$1" sh /tmp/script /tmp/settings; echo "status=$?"' \
        "$folder/tmp" "$TIMEOUT" >"$folder/output.txt" 2>&1 </dev/null
    if grep -q 'another instance of Watchkeeper runs' "$folder/output.txt"; then
        skip "kernel $HERE: $(grep -ho 'another instance of Watchkeeper runs.*' "$folder/output.txt")"
        return
    fi
    check_output "$HERE" "$folder"
}

# check_recording VERSION FOLDER TABLE: one verdict per row. All rows are counted in one pass.
check_recording() {
    local version=$1 folder=$2 table=$3 name want condition found
    count_rows "$folder" "$table" >"$folder/rows" || { fail "kernel $version: the table cannot be counted"; return; }
    while IFS=$'\t' read -r name want condition found; do
        # The table holds the operator: =3, >=1.
        if awk -v found="$found" -v want="$want" 'BEGIN {
            number = want; gsub(/[^0-9]/, "", number)
            exit !(want ~ /^>=/ ? found + 0 >= number + 0 : found + 0 == number + 0) }'; then
            pass "kernel $version: $name"
        else
            fail "kernel $version: $name: $found where $want is expected: $condition"
        fi
    done <"$folder/rows"
}

# count_rows FOLDER TABLE: the table's rows with the count found as a fourth column.
count_rows() {
    local folder=$1 table=$2 program=$1/count.jq name want condition
    {
        cat "$KERNELS_DIR/words.jq"
        printf '. as $events | [\n'
        grep -v '^#' "$table" | while IFS=$'\t' read -r name want condition; do
            printf '  ([$events[] | select(%s)] | length),\n' "$condition"
        done
        printf '  empty ] | .[]\n'
    } >"$program"
    # The first line of a recording is its head.
    tail -n +2 "$folder/recording.ndjson" | jq -s -f "$program" \
        --arg a "$(printf 'a%.0s' {1..64})" --arg b "$(printf 'b%.0s' {1..64})" --arg c "$(printf 'c%.0s' {1..64})" \
        --arg d "$(printf 'd%.0s' {1..64})" --arg e "$(printf 'e%.0s' {1..64})" >"$folder/counts" || return 1
    paste <(grep -v '^#' "$table") "$folder/counts"
}

print_kinds() {
    tail -n +2 "$1" | jq -r '.kind | if type == "object" then keys[0] else . end' | sort | uniq -c |
        awk '{ printf "%s%s %d", sep, $2, $1; sep = ", " } END { print "" }'
}
