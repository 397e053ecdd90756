#!/usr/bin/env bash
# The execution seed's second act, `kubectl apply -f malicious-deployment.yaml`, without a cluster: kubectl is the real one,
# the API is a stub that records the audit event of what is made, and the event is replayed. Every verdict says so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/common.sh
. "$here/../lib/common.sh"
# shellcheck source=../lib/packages.sh
. "$here/../lib/packages.sh"

STUB=
DIR=

tidy() {
    [ -z "$STUB" ] || kill "$STUB" 2>/dev/null || true
    rm -rf "$DIR"
}

apply() {
    HOME=$DIR kubectl --server "http://127.0.0.1:$1" --cache-dir "$DIR/cache" apply --validate=false -f "$DIR/malicious-deployment.yaml"
}

# replayed: replays what the stub recorded; the alerts are in DIR/alerts.
replayed() {
    local status=0
    "$TARGET/release/watchkeeper" replay --strategies "$REPO/strategies" --format json "$DIR/audit.log" >"$DIR/alerts" || status=$?
    [ "$status" -eq 1 ]
}

main() {
    command -v kubectl >/dev/null || install_packages kubernetes-client || { skip "kubectl cannot be installed"; return 0; }
    DIR=$(mktemp -d /tmp/watchkeeper-kubectl.XXXXXX)
    trap tidy EXIT
    cat >"$DIR/malicious-deployment.yaml" <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: malicious-deployment, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "docker.io/evil/web:latest", ports: [{containerPort: 80}]}]
YAML
    local port=$((20000 + $$ % 20000))
    "$TARGET/release/testnet" api "127.0.0.1:$port" "$DIR/audit.log" "$(date -u +%FT%T.000000Z)" >"$DIR/stub.out" 2>&1 &
    STUB=$!
    until_true 10 grep -qx ready "$DIR/stub.out" || die "the stub API does not start: $(cat "$DIR/stub.out")"
    check "kubectl apply reaches the stub API" apply "$port"
    check "the stub API recorded one audit event" test "$(wc -l <"$DIR/audit.log")" -eq 1
    check "the replayed audit event raises an alert (stub API, replayed)" replayed
    check "the alert names user, workload and image" jq -es \
        'any(.[]; .message | test("stub-user") and test("kubectl") and test("default/malicious-deployment") and test("docker.io/evil/web:latest"))' "$DIR/alerts"
    verdict_total
}

main "$@"
exit
