#!/usr/bin/env bash
# Fuzzing for minutes: tests/fuzz.sh with every target for FUZZ_SECONDS.
#
#   FUZZ_SECONDS=120
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/../fuzz.sh" "${FUZZ_SECONDS:-120}"
