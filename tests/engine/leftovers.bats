# SPDX-License-Identifier: MIT
# A session that has ended leaves nothing behind.

load ../helper

setup() {
  bed_setup user
  mkdir "$BATS_TEST_TMPDIR/tmp"
  chmod 1777 "$BATS_TEST_TMPDIR/tmp"
  export TMPDIR=$BATS_TEST_TMPDIR/tmp
}

# Everything that a launch could leave, as one list.
inventory() {
  docker ps -aq --no-trunc
  docker network ls -q --no-trunc
  docker volume ls -q
  find "$XDG_STATE_HOME/drydock/sessions" "$XDG_STATE_HOME/drydock/trash" \
    "$XDG_RUNTIME_DIR" "$TMPDIR" -mindepth 1
  # The test's own directory is below the bed's, which is where TMPDIR was.
  find "$BED/tmp" "$BED/home" "$BED/user" -mindepth 1 \
    -not -path "$BATS_RUN_TMPDIR*"
}

@test "what only root can remove is told by one launch and each gc, and what is large by both" {
  local trash=$XDG_STATE_HOME/drydock/trash
  local large="the project $project has 2 MiB in 1 files, more than disk_warn\
 or files_warn"
  as_who sh -c "head -c 3000000 /dev/zero | tr '\0' x >'$project/big'; sync"
  DRYDOCK_DISK_WARN=1m open_session sh -c 'cp big ~/big; sync
    echo ready; cat >/dev/null'
  assert_contains "$(cat "$BATS_TEST_TMPDIR/session.err")" "$large"
  # What lives and is large.
  DRYDOCK_DISK_WARN=1m run -0 --separate-stderr as_who drydock gc
  assert_contains "$stderr" "more than disk_warn or files_warn: \"drydock\
 stop "
  assert_contains "$stderr" "the home of session "
  assert_contains "$stderr" "$large"
  run -0 --separate-stderr as_who drydock gc
  assert_equal "$stderr" ""
  close_session
  install -d -o "$BED_UID" -g "$BED_UID" "$trash/abcd1234.x" \
    "$trash/abcd1234.x/home"
  mkdir -p "$trash/abcd1234.x/home/elsewhere/cache"
  run --separate-stderr in_session true
  assert_equal "$status" 0
  assert_contains "$stderr" "\"sudo rm -rf $trash/kept-abcd1234.x\""
  refute_contains "$stderr" disk_warn
  run --separate-stderr in_session true
  assert_equal "$status" 0
  refute_contains "$stderr" abcd1234
  run --separate-stderr as_who drydock gc
  assert_equal "$status" 1
  assert_contains "$stderr" "\"sudo rm -rf $trash/kept-abcd1234.x\""
  chown -R "$BED_UID:$BED_UID" "$trash"
  as_who drydock gc
  assert_equal "$(ls "$trash")" ""
}

# storm.bats has more of them at once.
@test "launches one after another, and at once" {
  local i n=${DRYDOCK_TEST_STORM:-2} pids=() failed=0
  # What the first one makes stays.
  in_session true 2>/dev/null
  inventory >"$BATS_TEST_TMPDIR/before"
  for ((i = 0; i < n; i++)); do
    run in_session sh -c "exit $((i % 3 + 1))"
    [ "$status" -eq $((i % 3 + 1)) ] ||
      fail "launch $i: status $status" "$output"
  done
  inventory >"$BATS_TEST_TMPDIR/after"
  diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
  n=3
  ! all_cases || n=8
  for ((i = 0; i < n; i++)); do
    in_session sh -c "exit $((i + 10))" \
      >"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- &
    pids+=("$!")
  done
  for ((i = 0; i < n; i++)); do
    status=0
    wait "${pids[i]}" || status=$?
    if [ "$status" -ne $((i + 10)) ]; then
      printf 'launch %d: status %d\n' "$i" "$status"
      cat "$BATS_TEST_TMPDIR/out.$i"
      failed=1
    fi
  done
  inventory >"$BATS_TEST_TMPDIR/after"
  diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
  [ "$failed" -eq 0 ]
}

@test "a launch that fails leaves no container" {
  inventory_of_engine() {
    docker ps -aq --no-trunc
    docker network ls -q --no-trunc
  }
  inventory_of_engine >"$BATS_TEST_TMPDIR/before"
  printf 'this is no host name!\n' >"$XDG_CONFIG_HOME/drydock/allowlist"
  chown "$BED_UID:$BED_UID" "$XDG_CONFIG_HOME/drydock/allowlist"
  run --separate-stderr in_session true
  assert_equal "$status" 78
  assert_contains "$stderr" "allowlist"
  assert_contains "$stderr" "1"
  inventory_of_engine >"$BATS_TEST_TMPDIR/after"
  diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
}
