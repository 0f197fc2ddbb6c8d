# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# sync: what is kept of .claude.json is the host's own bytes, whatever it holds.

load ../helper

setup() {
  bed_setup self
  export HOME=$BATS_TEST_TMPDIR/home
  mkdir "$HOME"
  agent_dir=$XDG_STATE_HOME/drydock/agents/claude
  copy=$agent_dir/snapshot/.claude/.claude.json
  corpus=$BATS_TEST_DIRNAME/corpus.py
}

# What a limit is met by, or fails, leaves no half of it.
only_whole() {
  assert_equal "$(find "$agent_dir" -maxdepth 1 -name 'gen-*')" ""
}

@test "every kind of document: what goes is gone, what stays is the same bytes" {
  python3 "$corpus" write "$BATS_TEST_TMPDIR/corpus"
  local doc n=0
  for doc in "$BATS_TEST_TMPDIR"/corpus/*.json; do
    n=$((n + 1))
    cp "$doc" "$HOME/.claude.json"
    drydock sync >/dev/null || fail "$doc"
    python3 "$corpus" judge "$doc" "$copy" || fail "$doc"
    run -1 grep -rl canary "$XDG_STATE_HOME"
    # A second time there is nothing left to go.
    cp "$copy" "$BATS_TEST_TMPDIR/once"
    cp "$copy" "$HOME/.claude.json"
    drydock sync --force >/dev/null || fail "$doc, filtered"
    cmp "$copy" "$BATS_TEST_TMPDIR/once" || fail "$doc: not the same twice"
  done
  [ "$n" -ge 25 ]
}

@test "MiBs with ten thousand projects, in bounded time and memory" {
  local size=16
  ! all_cases || size=64
  python3 "$corpus" large "$HOME/.claude.json" $((size << 20))
  # Below two minutes when the machine is busy; eight times its size.
  run -0 --separate-stderr python3 "$corpus" run 120 drydock sync
  [ "$output" -lt $((12 * size)) ] || fail "$output MB"
  python3 "$corpus" judge "$HOME/.claude.json" "$copy"
  run -1 grep -rl canary "$XDG_STATE_HOME"
}

@test "a byte more is skipped by its size, before any of it is read" {
  echo '{"a": 1}' >"$HOME/.claude.json"
  drydock sync
  # Not JSON, so that reading it would be another failure.
  truncate -s $(((64 << 20) + 1)) "$HOME/.claude.json"
  run -1 --separate-stderr traced -f -y -e trace=openat2,read -o "$BATS_TEST_TMPDIR/trace" \
    drydock sync
  assert_contains "$stderr" "$HOME/.claude.json: larger than 67108864 bytes"
  assert_contains "$stderr" "sync_max_json"
  grep -E 'openat2\(.*O_RDONLY.*/home/\.claude\.json>' \
    "$BATS_TEST_TMPDIR/trace"
  run -1 grep -E 'read\([0-9]+<.*/home/\.claude\.json>' \
    "$BATS_TEST_TMPDIR/trace"
  assert_equal "$(cat "$copy")" '{"a": 1}'
  only_whole
}

@test "cut off anywhere, the last copy stands and nothing counts as fresh" {
  echo '{"odd": ["\ud83d\ude00", 1e400], "f": true}' >"$HOME/.claude.json"
  drydock sync
  good=$(cat "$HOME/.claude.json")
  # All at once: each waits a moment for whoever may be writing it.
  local cut pids=() n=${#good}
  for ((cut = 0; cut < n; cut++)); do
    mkdir -p "$BATS_TEST_TMPDIR/cut/$cut/home"
    cp -a "$XDG_STATE_HOME" "$BATS_TEST_TMPDIR/cut/$cut/state"
    printf '%s' "${good:0:cut}" >"$BATS_TEST_TMPDIR/cut/$cut/home/.claude.json"
    cut_sync "$BATS_TEST_TMPDIR/cut/$cut" 3>&- &
    pids+=($!)
  done
  wait "${pids[@]}"
  for ((cut = 0; cut < n; cut++)); do
    cd "$BATS_TEST_TMPDIR/cut/$cut"
    assert_equal "$cut $(cat status)" "$cut 1"
    assert_contains "$(cat err)" ".claude.json: line "
    cmp "$copy" state/drydock/agents/claude/snapshot/.claude/.claude.json
    HOME=$PWD/home XDG_STATE_HOME=$PWD/state run -1 drydock sync --check
    assert_equal "$(find state -name 'gen-*')" ""
  done
}

cut_sync() {
  local status=0
  HOME=$1/home XDG_STATE_HOME=$1/state drydock sync >"$1/out" 2>"$1/err" ||
    status=$?
  echo "$status" >"$1/status"
}
