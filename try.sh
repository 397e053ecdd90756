#!/usr/bin/env bash
# From a clone to the first alert: installs what is missing, builds, watches, and performs one act to be found.
#
# The act runs in a container of a Docker daemon that this script starts beside any other and removes again. Its name
# does not resolve, so nothing leaves the machine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/common.sh
. "$here/tests/lib/common.sh"
# shellcheck source=tests/lib/packages.sh
. "$here/tests/lib/packages.sh"
# shellcheck source=tests/lib/docker.sh
. "$here/tests/lib/docker.sh"

WATCHED_SECONDS=${WATCHED_SECONDS:-15}

main() {
    [ "$(id -u)" -eq 0 ] || die "run as root: sensing loads programs into the kernel"
    install_packages "${BUILD_PACKAGES[@]}" "${LIVE_PACKAGES[@]}" || die "packages are missing"
    cd "$here"
    cargo build --release --locked -p watchkeeper
    start_docker "$(mktemp -d /tmp/watchkeeper-try.XXXXXX)"
    build_images
    note "watching for $WATCHED_SECONDS s; the act: docker run --rm alpine telnet c2.example.com 4444"
    (sleep 2 && docker run --rm alpine telnet c2.example.com 4444 >/dev/null 2>&1 || true) &
    "$TARGET/release/watchkeeper" watch --duration "${WATCHED_SECONDS}s"
    note "to watch this host: sudo $TARGET/release/watchkeeper watch"
}

main
