#!/usr/bin/env bash
# What takes too long for every change: measurements and long runs, each a script of tests/long/ that prints its rows of
# the standing table (docs/benchmarks.md) and its verdicts. All rows are printed again at the end.
#
#   tests/long.sh [NAME…]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=lib/packages.sh
. "$here/lib/packages.sh"
# shellcheck source=lib/stage.sh
. "$here/lib/stage.sh"

main() {
    local script names=("$@")
    cd "$REPO"
    install_packages "${BUILD_PACKAGES[@]}" "${LIVE_PACKAGES[@]}" "${BENCH_PACKAGES[@]}" || die "packages are missing"
    ROWS=$(mktemp)
    export ROWS
    stage build cargo build --release --workspace --locked
    shopt -s nullglob
    for script in "$here"/long/*.sh; do
        if [ "${#names[@]}" -eq 0 ] || [[ " ${names[*]} " == *" $(basename "$script" .sh) "* ]]; then
            stage "$(basename "$script" .sh)" "$script"
        fi
    done
    stage_table
    printf '\n%s at %s, %s cores, Linux %s\n\n' "$(git rev-parse --short=10 HEAD)" "$(date -u +%FT%RZ)" "$(nproc)" "$(uname -r)"
    printf '| what | measured | must reach | load average |\n|---|---|---|---|\n'
    cat "$ROWS"
    rm "$ROWS"
    verdict_total
}

main "$@"
exit
