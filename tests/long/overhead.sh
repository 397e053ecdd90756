#!/usr/bin/env bash
# The standing table's overhead: what observation costs the observed. Three storms from inside a container's cgroup, each
# with nothing, with Watchkeeper and with bpftrace on the same points, interleaved; the medians of the paired ratios with
# their 95 % intervals. Processor time counts: the kernel programs run inside the storm's processes.
#
#   PAIRS=60 EXECS=4000 CALLS=5000000 CONNECTS=20000
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/packages.sh
. "$here/../lib/packages.sh"
# shellcheck source=../lib/load.sh
. "$here/../lib/load.sh"

PAIRS=${PAIRS:-60}
EXECS=${EXECS:-4000}
CALLS=${CALLS:-5000000}
CONNECTS=${CONNECTS:-20000}
DIR=
OBSERVER=
MOUNTED=

# The points that the kernel sensor's base uses. bpftrace 0.17 prints only pid, name and file: less than a record holds.
# Its exit probe of system calls has a predicate as the sensor's table has an empty slot.
POINTS='
tracepoint:sched:sched_process_exec { printf("exec %d %s %s\n", pid, comm, str(args->filename)); }
tracepoint:sched:sched_process_fork { printf("fork %d %s %d\n", pid, comm, args->child_pid); }
tracepoint:sched:sched_process_exit { printf("exit %d %s\n", pid, comm); }
tracepoint:raw_syscalls:sys_exit /args->id == 257/ { printf("open %d %s %d\n", pid, comm, args->ret); }
tracepoint:sock:inet_sock_set_state { printf("tcp %d %d %d %d\n", pid, args->oldstate, args->newstate, args->dport); }
tracepoint:syscalls:sys_enter_connect { printf("connect %d %s\n", pid, comm); }
tracepoint:syscalls:sys_exit_connect { printf("connected %d %d\n", pid, args->ret); }
tracepoint:syscalls:sys_exit_accept, tracepoint:syscalls:sys_exit_accept4 { printf("accepted %d %d\n", pid, args->ret); }
BEGIN { printf("ready\n"); }'

observe_nothing() { OBSERVER=; }

observe_watchkeeper() {
    # The redirection below is the child's: until then the file of the last start would be there to read.
    : >"$DIR/err"
    "$TARGET/release/watchkeeper" watch --format json --strategies "$REPO/strategies" >/dev/null 2>"$DIR/err" &
    OBSERVER=$!
    until_true 30 grep -q 'ready after' "$DIR/err" || { cat "$DIR/err" >&2; die "the agent is not ready after 30 s"; }
}

# A file to /dev/null would not show when it is ready, and a pipe would add a process.
observe_bpftrace() {
    : >"$DIR/trace"
    bpftrace -o "$DIR/trace" -e "$POINTS" >"$DIR/err" 2>&1 &
    OBSERVER=$!
    until_true 60 grep -q '^ready' "$DIR/trace" || { cat "$DIR/err" >&2; die "bpftrace is not ready after 60 s"; }
}

stop_observing() {
    [ -n "$OBSERVER" ] || return 0
    kill -INT "$OBSERVER" 2>/dev/null || true
    wait "$OBSERVER" 2>/dev/null || true
    OBSERVER=
    : >"$DIR/trace"
}

# One round of one observer: a line "STORM CPU WALL" each, into DIR/times/OBSERVER.
round() {
    "observe_$1"
    {
        echo "exec $("$DIR/storm" exec "$EXECS")"
        echo "getppid $("$DIR/storm" getppid "$CALLS")"
        echo "connect $("$DIR/storm" connect "$CONNECTS")"
    } >>"$DIR/times/$1"
    stop_observing
}

# ratios STORM COLUMN OBSERVER [BASE]: of each pair, in percent more than BASE.
ratios() {
    paste <(awk -v s="$1" -v c="$2" '$1 == s { print $c }' "$DIR/times/$3") \
        <(awk -v s="$1" -v c="$2" '$1 == s { print $c }' "$DIR/times/${4:-nothing}") | awk '{ printf "%.2f\n", ($1 / $2 - 1) * 100 }'
}

median_of() { awk -v s="$1" '$1 == s { print $2 }' "$DIR/times/$2" | interval | cut -d' ' -f1; }

# not_slower NAME MEDIAN LOW HIGH: an interval on both sides of zero shows neither, and is no pass.
not_slower() {
    local text="$1 against bpftrace: $2 % [$3, $4]"
    if awk -v high="$4" 'BEGIN { exit !(high <= 0) }'; then
        pass "$text: not slower"
    elif awk -v low="$3" 'BEGIN { exit !(low > 0) }'; then
        fail "$text: slower"
    else
        skip "$text: undecided, the machine was not quiet enough for $PAIRS pairs"
    fi
}

report() {
    local storm ours theirs against
    for storm in exec getppid connect; do
        ours=$(ratios "$storm" 2 watchkeeper | interval)
        theirs=$(ratios "$storm" 2 bpftrace | interval)
        against=$(ratios "$storm" 2 watchkeeper bpftrace | interval)
        # shellcheck disable=SC2046,SC2086 # numbers, split on purpose
        row "overhead, $storm storm, processor time, $PAIRS pairs; nothing: $(median_of "$storm" nothing) ns" \
            "$(printf 'Watchkeeper %+.1f %% [%+.1f, %+.1f]; bpftrace %+.1f %% [%+.1f, %+.1f]; against bpftrace %+.1f %% [%+.1f, %+.1f]' $ours $theirs $against)" \
            "$([ "$storm" = exec ] && echo '≤ 10 %, ')not slower than bpftrace"
        # shellcheck disable=SC2086 # three numbers
        not_slower "$storm storm" $against
        [ "$storm" != exec ] || at_most "exec storm, median" "${ours%% *}" 10
    done
}

# bpftrace 0.17 looks for its points in debugfs, which a minimal host does not mount.
mount_debugfs() {
    [ ! -d /sys/kernel/debug/tracing/events ] || return 0
    mount -t debugfs debugfs /sys/kernel/debug
    MOUNTED=1
}

tidy() {
    stop_observing
    if [ -n "$MOUNTED" ]; then umount -R /sys/kernel/debug || note "/sys/kernel/debug stays mounted"; fi
    rm -rf "$DIR"
}

main() {
    [ "$(id -u)" -eq 0 ] || { skip "sensing needs root"; return 0; }
    install_packages "${BENCH_PACKAGES[@]}" || { skip "bpftrace is missing"; return 0; }
    DIR=$(mktemp -d /tmp/watchkeeper-overhead.XXXXXX)
    trap tidy EXIT
    mount_debugfs
    build_load "$DIR"
    mkdir "$DIR/times"
    local pair observer
    for pair in $(seq 1 "$PAIRS"); do
        note "pair $pair of $PAIRS"
        # The order turns, so that a drift of the machine favours nobody.
        case $((pair % 3)) in
            0) set -- nothing watchkeeper bpftrace ;;
            1) set -- watchkeeper bpftrace nothing ;;
            2) set -- bpftrace nothing watchkeeper ;;
        esac
        for observer in "$@"; do round "$observer"; done
    done
    report
    verdict_total
}

main "$@"
exit
