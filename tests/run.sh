#!/usr/bin/env bash
# All tests: formatting, lints, build, unit, document and replay tests, fuzzing, layers, stock kernels, live Docker.
#
#   tests/run.sh            every stage
#   tests/run.sh STAGE…     those stages: format lint build unit fuzz layers reference kernels live
#
# Prints the time of each stage. The last line is "N passed, N failed" over all stages.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=lib/packages.sh
. "$here/lib/packages.sh"
# shellcheck source=lib/stage.sh
. "$here/lib/stage.sh"

STAGES=(format lint build unit fuzz layers reference kernels live)
# Seconds for each fuzz target: what an accident would find. tests/long/fuzz.sh takes minutes.
FUZZ_SECONDS=3

stage_format() { cargo fmt --all --check; }
stage_lint() { cargo clippy --release --workspace --all-targets --locked -- -D warnings; }
stage_build() { cargo build --release --workspace --locked; }
stage_unit() { cargo test --release --workspace --locked; }
stage_fuzz() { "$here/fuzz.sh" "$FUZZ_SECONDS"; }
stage_layers() { cargo run -q --release -p xtask --locked -- layers; }
stage_reference() { cargo run -q --release -p xtask --locked -- gen --check; }
stage_kernels() { "$here/kernels/run.sh"; }

# Every live script has its own Docker and its own verdicts; all run, whatever one of them says.
stage_live() {
    local script status=0
    for script in "$here"/live/*.sh; do
        echo "-- ${script##*/}"
        "$script" || status=1
    done
    return "$status"
}

main() {
    local name
    cd "$REPO"
    [ $# -gt 0 ] || set -- "${STAGES[@]}"
    install_packages "${BUILD_PACKAGES[@]}" || die "packages for the build are missing"
    for name in "$@"; do
        declare -F "stage_$name" >/dev/null || die "unknown stage $name: expected one of ${STAGES[*]}"
        stage "$name" "stage_$name"
    done
    stage_table
    verdict_total
}

main "$@"
exit
