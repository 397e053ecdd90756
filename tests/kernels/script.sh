#!/bin/sh
# The agent records while the acts happen, then the recording is printed in one piece. Runs as the only job of a guest,
# or on this host in namespaces of its own (events.sh). The settings: AGENT, the command; RUNC, empty where there is
# none; TREE, the cgroup hierarchy; ACTOR, the program that acts; CLOCK, not empty where the wall clock may be stepped.
. "${1:-/settings}"
recording=/tmp/recording.ndjson
container=$(printf 'a%.0s' $(seq 64))
inner=$(printf 'b%.0s' $(seq 64))
plain=$(printf 'c%.0s' $(seq 64))
scope=$(printf 'd%.0s' $(seq 64))
spoofed=$(printf 'e%.0s' $(seq 64))
tree=$TREE
actor=$ACTOR
status=0

wrong() {
    echo "act: $*"
    status=1
}

# seen MARK SECONDS: waits for the mark in the recording, doing the act again and again until the sensor is there.
seen() {
    end=$(($(date +%s) + $2))
    until grep -q "$1" "$recording" 2>/dev/null; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        kill -0 "$agent" 2>/dev/null || return 1
        "$actor" enter "$tree/docker/$container" /bin/sh -c ": $1; true"
        sleep 0.1
    done
}

# oci_bundle FOLDER CGROUP ARG…: a bundle whose root is an overlay on the guest's own programs.
oci_bundle() {
    folder=$1 cgroup=$2
    mkdir -p "$folder/image/bin" "$folder/image/proc" "$folder/image/tmp" "$folder/image/dev" "$folder/image/sys" \
        "$folder/upper" "$folder/work" "$folder/rootfs"
    cp /bin/busybox "$actor" "$folder/image/bin/"
    ln -s busybox "$folder/image/bin/sh"
    mount -t overlay overlay -o "lowerdir=$folder/image,upperdir=$folder/upper,workdir=$folder/work" "$folder/rootfs" ||
        wrong "overlay is not mounted"
    sed -e "s|@CGROUP@|$cgroup|" /config.json >"$folder/config.json"
}

run_runc() {
    oci_bundle /tmp/plain "/docker/$plain"
    oci_bundle /tmp/scope "/system.slice/docker-$scope.scope"
    runc --root /tmp/runc run -b /tmp/plain "$plain" </dev/null || wrong "runc with a cgroupfs path: status $?"
    runc --root /tmp/runc run -b /tmp/scope "$scope" </dev/null || wrong "runc with a systemd-style path: status $?"
}

# The wall clock goes an hour ahead and back; one act lies between.
step_clock() {
    date -s "@$(($(date +%s) + 3600))" >/dev/null || wrong "the clock cannot be set"
    sleep 0.5
    "$actor" enter "$tree/docker/$container" /bin/sh -c '/bin/busybox true act-stepped; true'
    sleep 0.5
    date -s "@$(($(date +%s) - 3600))" >/dev/null || wrong "the clock cannot be set back"
    sleep 0.5
}

mkdir -p "$tree/docker/$container"
$AGENT >/tmp/agent.out 2>/tmp/agent.err &
agent=$!
if seen act-ready 60; then
    "$actor" enter "$tree/docker/$container" "$actor" all || wrong "some act did not work in the guest"
    # A cgroup that a container makes below its own, named like another container: still the outer one.
    mkdir "$tree/docker/$container/$inner"
    "$actor" enter "$tree/docker/$container/$inner" /bin/sh -c '/bin/busybox true act-inner; true'
    # A process that leaves its container's cgroup keeps its origin.
    "$actor" enter "$tree/docker/$container" /bin/sh -c "echo 0 >$tree/cgroup.procs; /bin/busybox true act-moved; true"
    # A host process in a cgroup of no container, though the name is close to one's.
    mkdir -p "$tree/docker-$spoofed-not"
    "$actor" enter "$tree/docker-$spoofed-not" "$actor" host || wrong "the host's act did not work"
    [ -z "$RUNC" ] || run_runc
    [ -z "$CLOCK" ] || step_clock
    seen act-done 30 || wrong "the recording does not show the last act within 30 s"
    kill -INT "$agent"
    wait "$agent"
    code=$?
    [ "$code" -eq 0 ] || [ "$code" -eq 1 ] || [ "$code" -eq 130 ] || wrong "the agent ended with status $code"
else
    wrong "the agent recorded nothing within 60 s"
    kill -9 "$agent" 2>/dev/null
fi
for made in "docker/$container/$inner" "docker/$container" docker "docker-$spoofed-not"; do
    # On a host, `docker` may hold others' containers.
    rmdir "$tree/$made" 2>/dev/null
done
echo "== agent messages"
tail -n 40 /tmp/agent.err
echo "== alerts: $(wc -l </tmp/agent.out)"
echo "== recording"
gzip -c "$recording" | base64
echo "== end"
exit $status
