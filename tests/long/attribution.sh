#!/usr/bin/env bash
# The standing table's attribution: 2,000 containers.
set -euo pipefail
CONTAINERS=${CONTAINERS:-2000} exec "$(dirname "${BASH_SOURCE[0]}")/../live/attribution.sh"
