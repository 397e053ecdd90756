# Builds a guest's initramfs and boots it. Sourced after common.sh, packages.sh and fetch.sh.
#
# A guest is a stock kernel and an initramfs of busybox, the program under test with its libraries, and a script.
# Its first serial line is the console, the second carries what the script writes to /dev/ttyS1, free of kernel
# messages. It has no disk and no network card.

# copy_program ROOT PROGRAM [NAME]: a program with the libraries that it names, at /bin/NAME.
copy_program() {
    local root=$1 program=$2 name=${3:-$(basename "$2")} library
    install -D -m 755 "$program" "$root/bin/$name"
    # A static program names none.
    { ldd "$program" 2>/dev/null | grep -o '/[^ ]*' || true; } | while read -r library; do
        [ -e "$root$library" ] || install -D -m 755 "$library" "$root$library"
    done
}

# copy_modules ROOT KERNEL NAME…: modules, after those that they depend on, and the order of loading.
# A module that is absent is taken to be built in; the guest's script finds out if it is not.
copy_modules() {
    local root=$1 kernel=$2 name
    shift 2
    mkdir -p "$root/modules"
    : >>"$root/modules/order"
    for name in "$@"; do
        copy_module "$root" "$kernel" "$name"
    done
}

copy_module() {
    local root=$1 kernel=$2 name=$3 file dependency
    ! grep -qx "$name" "$root/modules/order" || return 0
    file=$(find "$kernel/modules" -name "${name//_/[-_]}.ko*" -print -quit)
    [ -n "$file" ] || return 0
    case $file in
        *.xz) xz -dc "$file" >"$root/modules/$name.ko" ;;
        *.zst) zstd -dcq "$file" >"$root/modules/$name.ko" ;;
        *) cp "$file" "$root/modules/$name.ko" ;;
    esac
    for dependency in $(tr '\0' '\n' <"$root/modules/$name.ko" | sed -n 's/^depends=//p' | tr ',' ' '); do
        copy_module "$root" "$kernel" "$dependency"
    done
    echo "$name" >>"$root/modules/order"
}

# base_root ROOT: busybox with its applets, and the init that runs /script. The initramfs is copied to a tmpfs and left,
# because a runtime cannot pivot away from an initramfs.
base_root() {
    local root=$1 applet
    mkdir -p "$root"/{bin,proc,sys,dev,tmp,etc,run,root,var/tmp}
    ln -s bin "$root/sbin"
    cp "$(command -v busybox)" "$root/bin/busybox"
    for applet in $("$root/bin/busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
    done
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    cat >"$root/init" <<'INIT'
#!/bin/sh
export PATH=/bin
mkdir /new
mount -t tmpfs -o size=90% root /new
for entry in /*; do
    case $entry in
        /new) ;;
        *) cp -a "$entry" /new/ ;;
    esac
done
exec switch_root /new /start
INIT
    cat >"$root/start" <<'START'
#!/bin/sh
# The one job of this init: mounts, modules, the script, its status, power off.
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts
mount -t devpts pts /dev/pts
mount -t tracefs trace /sys/kernel/tracing
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t securityfs security /sys/kernel/security
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
ip link set lo up
stty -F /dev/ttyS1 raw
while read -r module; do insmod "/modules/$module.ko" || echo "insmod $module failed"; done < /modules/order
echo 'the job begins' >/dev/ttyS0
sh /script >/dev/ttyS1 2>&1
status=$?
printf '\nstatus=%s\n' "$status" >/dev/ttyS1
# Setting the line waits for its output: the last bytes leave before the power does.
stty -F /dev/ttyS1 raw
poweroff -f
START
    chmod +x "$root/start"
    chmod +x "$root/init"
}

# acceleration KERNEL_FOLDER: kvm where it really boots a guest, else tcg. /dev/kvm may open and yet be unable to run
# real-mode code (a nested machine), which hangs or dies before the first console line; so it is tried once per host.
acceleration() {
    local answer
    answer=$CACHE/acceleration-$(uname -r)
    if [ ! -s "$answer" ]; then
        if kvm_boots "$1"; then echo kvm; else echo tcg; fi >"$answer.$$"
        mv "$answer.$$" "$answer"
    fi
    cat "$answer"
}

kvm_boots() {
    local console=$CACHE/kvm-try.$$ qemu status=1
    [ -r /dev/kvm ] && [ -w /dev/kvm ] || return 1
    qemu=$(qemu_command) || return 1
    note "trying whether KVM boots a guest here"
    # It panics for want of a root: the first line on the console is all that is wanted.
    timeout -k 2 10 "$qemu" -M pc -accel kvm -cpu host -m 512 -display none -monitor none -nodefaults -no-reboot \
        -kernel "$1/vmlinuz" -serial "file:$console" -append "console=ttyS0 panic=-1" </dev/null >/dev/null 2>&1 || true
    ! grep -aq 'Linux version' "$console" || status=0
    rm -f "$console"
    return "$status"
}

# boot VERSION ROOT FOLDER MEMORY SECONDS: leaves console.txt and output.txt in FOLDER; status 1 when the guest did not
# reach its end in time. An emulated processor may die while the guest's kernel patches its own code at start: a guest
# whose job has not begun starts again, twice at most.
boot() {
    local try
    for try in 1 2 3; do
        boot_once "$@" && return
        [ "$?" -eq 2 ] && ! grep -aq 'the job begins' "$3/console.txt" || return 1
        note "start $try of the guest with kernel $1 ended before its job began"
    done
    return 1
}

# The same, once; status 2 when the guest ended by itself without reaching its end.
boot_once() {
    local version=$1 root=$2 folder=$3 memory=$4 seconds=$5 kernel qemu accel cpu=max
    kernel=$(fetch_kernel "$version") || return 1
    qemu=$(qemu_command) || return 1
    accel=$(acceleration "$kernel")
    [ "$accel" = tcg ] || cpu=host
    (cd "$root" && find . -print0 | cpio -0 -o -H newc --quiet) | zstd -1 -q >"$folder/initrd" || return 1
    : >"$folder/output.txt"
    timeout -k 5 "$seconds" "$qemu" -M pc -accel "$accel" -cpu "$cpu" -m "$memory" -smp 2 -display none -monitor none \
        -nodefaults -no-reboot -kernel "$kernel/vmlinuz" -initrd "$folder/initrd" \
        -serial "file:$folder/console.txt" -serial "file:$folder/output.txt" \
        -append "console=ttyS0 panic=-1" </dev/null >"$folder/qemu.txt" 2>&1 || {
        note "the guest with kernel $version did not finish within $seconds s, or qemu failed"
        cat "$folder/qemu.txt" >&2
        return 1
    }
    grep -aq '^status=' "$folder/output.txt" || return 2
}
