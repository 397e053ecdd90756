#!/bin/bash
# Measures sense + decode + filter under mix M: events taken, loss and processor time of the reader.
# Usage, as root: mix.sh [RATE] [SECONDS]. Needs clang. Everything happens in a network namespace of its own.
set -euo pipefail
rate=${1:-250000} seconds=${2:-30}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
namespace=watchkeeper-mix-$$
trap 'ip netns del "$namespace" 2>/dev/null || true; rm -rf "$work"' EXIT
mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
cd "$here/../../.."
cargo build --release -q -p watchkeeper-sense --example observe
observe=${CARGO_TARGET_DIR:-target}/release/examples/observe
clang -O2 -o "$work/mix" "$here/mix.c"
echo 'void _start(void) { __asm__ volatile("mov $60,%eax\n xor %edi,%edi\n syscall"); }' >"$work/stub.c"
clang -O2 -nostdlib -static -o "$work/stub" "$work/stub.c"
ip netns add "$namespace"
nsenter --net="/run/netns/$namespace" ip link set lo up
"$observe" $((seconds + 4)) quiet &
sensor=$!
sleep 2
nsenter --net="/run/netns/$namespace" "$work/mix" "$rate" "$seconds" "$work/stub" "$mount"
wait $sensor
