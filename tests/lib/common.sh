# Shared by every test script: messages, verdicts and their count, and how to wait. Sourced, never run.
#
# Verdicts go to stdout, one per line; messages go to stderr. A script ends with `verdict_total`, whose last line is
# "N passed, N failed" and whose status is 1 when anything failed.

# A script that ends early says where.
set -E
trap 'printf "error: %s:%d: failed: %s\n" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND" >&2' ERR

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${WATCHKEEPER_CACHE:-$REPO/.cache}
TARGET=${CARGO_TARGET_DIR:-$REPO/target}
PASSED=0
FAILED=0

note() { printf '%s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 2
}

pass() {
    PASSED=$((PASSED + 1))
    printf 'PASS %s\n' "$*"
}

fail() {
    FAILED=$((FAILED + 1))
    printf 'FAIL %s\n' "$*"
}

# What this host cannot run is neither passed nor failed, but never silent.
skip() { printf 'SKIPPED: %s\n' "$*"; }

verdict_total() {
    printf '%d passed, %d failed\n' "$PASSED" "$FAILED"
    if [ "$FAILED" -gt 0 ]; then exit 1; fi
}

# check NAME COMMAND…: a verdict from a command's status; its output appears only when it fails.
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        pass "$name"
    else
        fail "$name"
        printf '%s\n' "$output" | sed 's/^/    /'
    fi
}

# until_true SECONDS COMMAND…: polls instead of sleeping for a guessed time.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# Gone, or a zombie that only wait() still sees.
process_gone() {
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 0
    [ -z "$state" ] || [ "$state" = Z ]
}
