# Stages: named steps with a time and verdicts of their own. Sourced after common.sh.

STAGE_ROWS=()

# stage NAME COMMAND…: runs it with its output shown, then adds its verdicts to PASSED and FAILED: the last line
# "N passed, N failed" of each script in it and cargo's "test result" lines; a stage without any is one verdict.
stage() {
    local name=$1 log status=0 start=$SECONDS passed failed
    shift
    log=$(mktemp)
    printf '\n== %s\n' "$name"
    "$@" 2>&1 | tee "$log" || status=$?
    read -r passed failed < <(stage_counts "$log")
    [ $((passed + failed)) -gt 0 ] || [ "$status" -ne 0 ] || passed=1
    # A stage that breaks before it can count has failed all the same.
    [ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
    PASSED=$((PASSED + passed))
    FAILED=$((FAILED + failed))
    STAGE_ROWS+=("$(printf '%-10s %5d s %6d passed %4d failed %4d skipped' "$name" $((SECONDS - start)) "$passed" "$failed" \
        "$(grep -c 'SKIPPED:' "$log" || true)")")
    rm "$log"
}

stage_counts() {
    awk '
        /^test result: / { for (i = 2; i <= NF; i++) { if ($i == "passed;") p += $(i - 1); if ($i == "failed;") f += $(i - 1) } }
        /^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 }
        END { print p + 0, f + 0 }
    ' "$1"
}

stage_table() {
    printf '\n'
    printf '%s\n' "${STAGE_ROWS[@]}"
}
