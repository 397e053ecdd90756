# A private Docker for the tests. Sourced after common.sh and packages.sh.
#
# The daemon runs in a network namespace, data root and socket of its own, so it disturbs no other daemon on the host:
# a second daemon in the host's namespace would delete docker0 and flush the first one's firewall chains. `nsenter` and
# not `ip netns exec`, which remounts /sys and hides the cgroups. Images are built offline from busybox.

# The default bridge's gateway inside that namespace. Every container asks it for names: nothing resolves until a test
# starts a resolver there (start_resolver), so a literal command needs no --dns.
DOCKER_GATEWAY=172.29.0.1
DOCKER_DIR=
DOCKER_NS=
DOCKER_PID=
SERVERS=()

# start_docker DIR: starts the daemon, exports DOCKER_HOST and cleans everything up when the script ends.
# An outer EXIT trap of the caller must call stop_docker itself.
start_docker() {
    DOCKER_DIR=$1
    DOCKER_NS=wk-test-$$
    mkdir -p "$DOCKER_DIR"/{root,exec}
    export DOCKER_HOST=unix://$DOCKER_DIR/docker.sock
    unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
    trap stop_docker EXIT
    mount_cgroups
    ip netns add "$DOCKER_NS"
    in_docker_ns ip link set lo up
    restart_docker
}

# restart_docker: starts the daemon over the same data, as after `halt_docker`.
restart_docker() {
    nsenter --net="/run/netns/$DOCKER_NS" dockerd --host "$DOCKER_HOST" --data-root "$DOCKER_DIR/root" \
        --exec-root "$DOCKER_DIR/exec" --pidfile "$DOCKER_DIR/pid" --exec-opt native.cgroupdriver=cgroupfs \
        --bip "$DOCKER_GATEWAY/16" --dns "$DOCKER_GATEWAY" --storage-driver overlay2 --log-level warn >>"$DOCKER_DIR/log" 2>&1 &
    DOCKER_PID=$!
    until_true 30 docker info || {
        note "dockerd did not answer within 30 s:"
        tail -n 20 "$DOCKER_DIR/log" >&2
        return 1
    }
}

in_docker_ns() { nsenter --net="/run/netns/$DOCKER_NS" "$@"; }

# A host with systemd has cgroups mounted; a bare container or minimal init may not.
mount_cgroups() {
    grep -qE ' cgroup2? ' /proc/mounts || mount -t cgroup2 cgroup2 /sys/fs/cgroup
}

# halt_docker: ends the daemon, which stops its containers; their data stays.
halt_docker() {
    [ -n "$DOCKER_PID" ] || return 0
    kill "$DOCKER_PID" 2>/dev/null || true
    end_child "$DOCKER_PID"
    DOCKER_PID=
}

# end_child PID: waits 15 s for a child that was told to end, then kills it.
end_child() {
    until_true 15 process_gone "$1" || kill -9 "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

# start_server NAME ARG…: `testnet ARG…` in the daemon's namespace; its output is DIR/NAME.out, its id in SERVERS.
start_server() {
    local name=$1
    shift
    : >"$DOCKER_DIR/$name.out"
    # Not in_docker_ns: in the background a function is a shell of its own, and ending that leaves the server.
    nsenter --net="/run/netns/$DOCKER_NS" "$TARGET/release/testnet" "$@" >"$DOCKER_DIR/$name.out" 2>&1 &
    SERVERS+=($!)
    until_true 10 grep -qx ready "$DOCKER_DIR/$name.out" || {
        note "the server '$name' did not start: $(cat "$DOCKER_DIR/$name.out")"
        return 1
    }
}

# start_resolver NAME=IPV4…: answers the containers' questions; output in DIR/resolver.out.
start_resolver() { start_server resolver dns "$DOCKER_GATEWAY:53" "$@"; }

# start_peer PORT LINE…: the far end of a plain-text session at $DOCKER_GATEWAY:PORT; output in DIR/peer.out.
start_peer() {
    local port=$1
    shift
    start_server peer peer "$DOCKER_GATEWAY:$port" "$@"
}

# stop_docker: containers, servers, daemon, mounts, namespace and data go, whatever state a failed test left.
stop_docker() {
    local status=$? left mount_point server
    trap - EXIT
    [ -n "$DOCKER_DIR" ] || return "$status"
    if [ -n "$DOCKER_PID" ]; then
        left=$(timeout 10 docker ps -aq 2>/dev/null) || left=
        # shellcheck disable=SC2086 # a list of ids
        [ -z "$left" ] || timeout 60 docker rm -f $left >/dev/null 2>&1 || note "some containers could not be removed"
        halt_docker
    fi
    end_runtime
    for server in "${SERVERS[@]}"; do
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    done
    SERVERS=()
    # Innermost mounts first; a lazy unmount, as the last shim may still be on its way out.
    awk -v dir="$DOCKER_DIR/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount_point; do
        umount -l "$mount_point" || note "$mount_point stays mounted"
    done
    ip netns del "$DOCKER_NS" 2>/dev/null || true
    rm -rf "$DOCKER_DIR" || note "$DOCKER_DIR could not be removed"
    DOCKER_DIR=
    return "$status"
}

# A killed daemon leaves its containerd and shims: those of our own folder are ended, by id.
end_runtime() {
    local process
    for process in /proc/[0-9]*; do
        case $({ tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null || true) in
            containerd*" $DOCKER_DIR/exec/"* | *containerd-shim*" $DOCKER_DIR/exec/"*) kill -9 "${process#/proc/}" 2>/dev/null || true ;;
        esac
    done
}

# import_image NAME CMD FILE=PATH…: an image of busybox with the given host files added at the given paths.
# CMD is a JSON list. A file that is a program must be static.
import_image() {
    local name=$1 command=$2 root applet pair
    shift 2
    root=$(mktemp -d "$DOCKER_DIR/image.XXXXXX")
    chmod 755 "$root" # it becomes the container's /
    mkdir -p "$root"/{bin,etc,home,mnt,opt,proc,root,run,sbin,srv,sys,dev,tmp,usr/bin,usr/local/bin,var/log,var/tmp,var/www}
    chmod 1777 "$root"/{tmp,var/tmp}
    cp "$(command -v busybox)" "$root/bin/busybox"
    for applet in $("$root/bin/busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
    printf 'root:x:0:\nnobody:x:65534:\n' >"$root/etc/group"
    printf 'root:*::0:::::\nnobody:!::0:::::\n' >"$root/etc/shadow"
    chmod 640 "$root/etc/shadow"
    printf '%s\n' "$name" >"$root/etc/image"
    for pair in "$@"; do
        install -D -m 755 "${pair%%=*}" "$root/${pair#*=}"
    done
    tar -C "$root" -c . | docker import -c "CMD $command" - "$name" >/dev/null
    rm -r "$root"
}

# build_images: the images that every live test may use.
build_images() {
    import_image watchkeeper/busybox:test '["/bin/sh"]'
    # The name that the seed's literal command asks for, without a registry.
    import_image alpine:latest '["/bin/sh"]'
    import_image watchkeeper/web:test '["/bin/httpd", "-f", "-p", "80", "-h", "/var/www"]'
}

# test_network NAME: a bridge network; prints the gateway's address, where a server started with in_docker_ns is
# reachable for its containers.
test_network() {
    docker network create "$1" >/dev/null
    docker network inspect -f '{{(index .IPAM.Config 0).Gateway}}' "$1"
}
