# SPDX-License-Identifier: MIT
# A session whose plan or record was damaged, and what may be sealed again.

load ../helper
load counter

# One session for all: each leaves it sealed, or is the last.
setup() {
  bed_guard && shared_counter
}

teardown() {
  shared_leave
}

teardown_file() {
  shared_teardown
}

open_sealed() {
  dir=$XDG_STATE_HOME/drydock/sessions/$id
  cp -p "$dir/plan.json" "$BATS_TEST_TMPDIR/plan"
  cp -p "$dir/session.json" "$BATS_TEST_TMPDIR/record"
}

# edit FILE PROGRAM: rewrites a file of the session, of which f is the bytes.
edit() {
  python3 -c 'import json, sys
path = sys.argv[1]
f = open(path, "rb").read()
exec(sys.argv[2])
open(path, "wb").write(f)' "$dir/$1" "$2"
}

restore() {
  cp -p "$BATS_TEST_TMPDIR/plan" "$dir/plan.json"
  cp -p "$BATS_TEST_TMPDIR/record" "$dir/session.json"
}

stop_agent() {
  docker kill "$(docker ps -q --filter "label=io.drydock.session=$id" \
    --filter label=io.drydock.role=agent)" >/dev/null
  wait_for "a stopped session" test_state stopped
}

# What reseal may not touch: containers and all files but the record.
everything_else() {
  docker ps -a --no-trunc --filter "label=io.drydock.session=$id" \
    --format '{{.ID}} {{.State}} {{.CreatedAt}}' | sort
  (cd "$dir" && find . -type f -not -path './home/*' -not -name session.json \
    -not -path './sidecar/log/*' -exec sha256sum {} + | sort)
}

# refused WHY: it stays broken, for this reason, and nothing is written.
refused() {
  local before
  before=$(sha256sum "$dir/session.json")
  run -1 --separate-stderr as_who drydock reseal "$id" ||
    fail "$1: status $status" "$output" "$stderr" || return
  assert_contains "$stderr" "session $id is not sealed again" || return
  assert_contains "$stderr" "$1" || return
  assert_equal "$output" "" || return
  assert_equal "$(sha256sum "$dir/session.json")" "$before"
}

@test "a digest on record that is damaged or gone is written again" {
  local before
  open_sealed
  run -0 as_who drydock reseal "$id"
  assert_equal "$output" "$id: its plan is the one on record"
  cmp "$dir/session.json" "$BATS_TEST_TMPDIR/record"
  edit session.json 'f = f.replace(json.loads(f)["plan_digest"].encode(), b"0" * 64)'
  run -65 --separate-stderr as_who drydock exec "$id" -- true
  assert_contains "$stderr" "run \"drydock reseal $id\""
  before=$(everything_else)
  run -0 as_who drydock reseal --dry-run "$id"
  assert_equal "$output" \
    "$id: the plan is as launched; its record would be written again"
  run -65 as_who drydock exec "$id" -- true
  run -0 --separate-stderr as_who drydock reseal --json "$id"
  assert_equal "$(jq -r .result <<<"$output")" sealed
  assert_equal "$(jq -r .recorded_digest <<<"$output")" \
    "$(printf '0%.0s' {1..64})"
  cmp "$dir/session.json" "$BATS_TEST_TMPDIR/record"
  assert_equal "$(everything_else)" "$before"
  as_who drydock exec "$id" -- true
  goes_on
  # The same of a stopped one, whose record names no plan and no container.
  stop_agent
  cp -p "$dir/session.json" "$BATS_TEST_TMPDIR/record"
  edit session.json 'r = json.loads(f); del r["plan_digest"]
r["containers"] = "none"; f = json.dumps(r).encode()'
  assert_equal "$(state_of "$id")" damaged
  run -0 as_who drydock reseal "$id"
  assert_equal "$(jq -S . "$dir/session.json")" \
    "$(jq -S . "$BATS_TEST_TMPDIR/record")"
  on_terminal 'expect:agent resumed' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
}

second_runs() {
  [ "$(find "$XDG_STATE_HOME/drydock/sessions" -name plan.json | wc -l)" = 2 ]
}

@test "another session's plan, and containers that differ, are refused" {
  local other second
  open_sealed
  as_who drydock new "$project" -- second </dev/null >/dev/null 2>&1 &
  second=$!
  wait_for "a second session" second_runs
  other=$(find "$XDG_STATE_HOME/drydock/sessions" -mindepth 1 -maxdepth 1 \
    -not -name "$id" -printf %f)
  find "$XDG_STATE_HOME/drydock/sessions" -name plan.json \
    -not -path "*/$id/*" -exec cp {} "$dir/plan.json" \;
  refused ""
  restore
  docker update --pids-limit 77 "$(docker ps -q \
    --filter "label=io.drydock.session=$id" \
    --filter label=io.drydock.role=agent)" >/dev/null
  refused "pids limit"
  docker update --pids-limit "$(jq -r .services.agent.pids_limit \
    "$dir/plan.json")" "$(docker ps -q \
    --filter "label=io.drydock.session=$id" \
    --filter label=io.drydock.role=agent)" >/dev/null
  run -0 as_who drydock reseal "$id"
  wait_for "the second one's end" as_who drydock stop --force "$other"
  wait "$second" || true
}

@test "a record that is gone, and a plan with one other byte, are never sealed" {
  local at size program n=5
  ! all_cases || n=16
  open_sealed
  # A record that does not parse is named, with what is lost.
  for program in 'f = b""' 'f = f[:100]' 'f = b"{}"' \
    'r = json.loads(f); del r["kind"]; f = json.dumps(r).encode()'; do
    edit session.json "$program"
    refused "its record cannot be mended: the digest of the plan, the\
 containers and their images could be found again, and the agent, kind, mode,\
 project, engine and times are in no other file"
    restore
  done
  rm "$dir/session.json"
  run -1 --separate-stderr as_who drydock reseal "$id"
  assert_contains "$stderr" "its record cannot be mended"
  assert_contains "$stderr" "drydock stop --force $id"
  restore
  # Somebody else has the session.
  exec {lease}<"$dir/lease"
  flock "$lease"
  run -75 as_who drydock reseal "$id"
  exec {lease}<&-
  run -64 as_who drydock reseal
  stop_agent
  cp -p "$dir/session.json" "$BATS_TEST_TMPDIR/record"
  size=$(stat -c %s "$dir/plan.json")
  for at in $(seq 1 $((size / n)) "$size"); do
    edit plan.json "i = $at % len(f); f = f[:i] + bytes([f[i] ^ 1]) + f[i + 1:]"
    refused ""
    restore
  done
  # Bytes that mean nothing, a value that no inspection shows, and one that
  # Compose leaves out of its digest.
  edit plan.json 'f = f.rstrip(b"\n") + b"\n\n"'
  refused "plan.json is not as drydock writes it"
  restore
  edit plan.json 'f = f.replace(b"\"stop_grace_period\": \"10s\"", b"\"stop_grace_period\": \"11s\"", 1)'
  refused "was not made from this plan"
  restore
  edit plan.json 'f = f.replace(b"\"pull_policy\": \"never\"", b"\"pull_policy\": \"always\"", 1)'
  refused image
  restore
  truncate -s 100 "$dir/plan.json"
  refused plan.json
  rm "$dir/plan.json"
  refused plan.json
  restore
  cp "$dir/seccomp.json" "$BATS_TEST_TMPDIR/seccomp"
  edit seccomp.json 'f = f.replace(b"SCMP_ACT_ERRNO", b"SCMP_ACT_ALLOW", 1)'
  refused seccomp
  cp "$BATS_TEST_TMPDIR/seccomp" "$dir/seccomp.json"
  docker rm -f "drydock-$id-egress-1" >/dev/null
  refused "the engine has no egress container of it"
}
