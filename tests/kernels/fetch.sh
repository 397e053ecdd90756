# Debian's stock cloud kernels, fetched with apt into the cache. Sourced after common.sh.
#
# The mirror is the one that this machine's apt is configured for; other releases are read through a private apt
# state, so the machine's own package lists stay as they are.

# The Debian release that ships each kernel.
kernel_suite() {
    case $1 in
        5.10) echo bullseye ;;
        6.1) echo bookworm ;;
        6.12) echo trixie ;;
        *) die "no Debian release is known for kernel $1: expected 5.10, 6.1 or 6.12" ;;
    esac
}

# mirror LABEL: the configured base URI of the archive with this label ("Debian", "Debian-Security").
mirror() {
    apt-get indextargets --format '$(LABEL)|$(REPO_URI)' | awk -F'|' -v label="$1" '$1 == label { print $2; exit }'
}

# private_apt SUITE COMMAND…: apt over that suite alone, with lists and cache of its own.
private_apt() {
    local suite=$1 home=$CACHE/apt/$1 tool=$2
    shift 2
    "$tool" -q -o Dir::Etc::sourcelist="$home/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State="$home/state" -o Dir::State::lists="$home/lists" -o Dir::State::status="$home/status" \
        -o Dir::Cache="$home/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root \
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}

open_private_apt() {
    local suite=$1 home=$CACHE/apt/$1 base security
    base=$(mirror Debian)
    if [ -z "$base" ]; then
        # Labels are in the index, which a fresh machine has not fetched yet.
        apt_update_once || return 1
        base=$(mirror Debian)
    fi
    security=$(mirror Debian-Security)
    [ -n "$base" ] || { note "apt is configured for no Debian mirror"; return 1; }
    mkdir -p "$home"/{state,lists/partial,cache/archives/partial}
    : >"$home/status"
    local options=signed-by=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [$options] $base $suite main" >"$home/sources.list"
    [ -z "$security" ] || echo "deb [$options] $security $suite-security main" >>"$home/sources.list"
    private_apt "$suite" apt-get update --error-on=any >"$home/update.log" 2>&1 || { cat "$home/update.log" >&2; return 1; }
}

# fetch_kernel VERSION: prints the folder that holds vmlinuz, release and lib/modules; status 1 when it cannot be had.
fetch_kernel() {
    local version=$1 home=$CACHE/kernels/$1
    if [ ! -s "$home/release" ]; then
        mkdir -p "$CACHE/kernels"
        (
            # Two runs at once must not unpack over each other.
            flock 9
            [ -s "$home/release" ] || unpack_kernel "$version" "$home"
        ) 9>"$CACHE/kernels/.lock" || return 1
    fi
    echo "$home"
}

unpack_kernel() {
    local version=$1 home=$2 suite package part image
    suite=$(kernel_suite "$version")
    note "fetching Debian's kernel $version ($suite)"
    open_private_apt "$suite" || return 1
    package=$(private_apt "$suite" apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image-/ { print $2; exit }')
    [ -n "$package" ] || { note "$suite has no cloud kernel"; return 1; }
    part=$(mktemp -d "$CACHE/kernels/part.XXXXXX")
    (cd "$part" && private_apt "$suite" apt-get download "$package" >apt.log 2>&1) || { cat "$part/apt.log" >&2; return 1; }
    dpkg-deb -x "$part"/*.deb "$part/root" || return 1
    image=$(echo "$part"/root/boot/vmlinuz-*)
    rm -rf "$home"
    mkdir -p "$home"
    mv "$image" "$home/vmlinuz"
    # Debian 13 ships modules under /usr/lib, earlier releases under /lib.
    mv "$part"/root/usr/lib/modules "$home/modules" 2>/dev/null || mv "$part"/root/lib/modules "$home/modules"
    rm -r "$part"
    echo "${image##*/vmlinuz-}" >"$home/release"
}
