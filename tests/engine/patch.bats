# SPDX-License-Identifier: MIT
# The guard of patched dependencies in sessions, with files as cargo has them.
# cargo itself is tried with DRYDOCK_TEST_TOOLCHAINS=all (patch-cargo.bats).

load ../helper
load counter
load registry
load patching

setup() {
  bed_setup user
  patch_setup
  greeter "$project"
  manifest=$(<"$project/Cargo.toml")
  locked=$(<"$project/Cargo.lock")
}

teardown() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

@test "a session starts with patches in sync, which can be removed" {
  local copy
  patch_greet "$project"
  copy=$(copy_of "$project")
  run -0 --separate-stderr patch_in "$project" check
  run -0 --separate-stderr launch "$project" \
    grep -o '"[a-z]* 1' "$copy/src/lib.rs"
  assert_equal "$output" '"patched 1'
  refute_contains "$stderr" patch

  patch_in "$project" remove greet
  assert_equal "$(<"$project/Cargo.toml")" "$manifest"
  assert_equal "$(<"$project/Cargo.lock")" "$locked"
  run -0 --separate-stderr patch_in "$project" check
}

@test "no session starts with a changed copy or another version locked; missing copies are made" {
  local copy
  patch_greet "$project"
  copy=$(copy_of "$project")
  as_user chmod u+w "$project/$copy/src/lib.rs"
  as_user sed -i s/patched/changed/ "$project/$copy/src/lib.rs"
  refused launch "$project" true
  assert_contains "$stderr" "$copy/src/lib.rs"
  assert_contains "$stderr" 'drydock patch apply'
  refused as_user drydock shell --mode dood "$project" -- true </dev/null
  refused as_user drydock run "$project" </dev/null
  patch_in "$project" apply
  run -0 --separate-stderr patch_in "$project" check
  # The change is not lost.
  grep -F '"changed 1' "$project/.drydock/edit/cargo/greet@1.0.0/src/lib.rs"
  rm -r "${project:?}/.drydock/edit"

  cp "$project/Cargo.lock" "$BATS_TEST_TMPDIR/lock"
  lock_moves "$project/Cargo.lock"
  refused launch "$project" true
  assert_contains "$stderr" greet
  assert_contains "$stderr" 1.0.1
  assert_contains "$stderr" 'drydock patch '
  # What is missing as well does not hide it.
  rm -r "${project:?}/.drydock/patched"
  refused launch "$project" true
  assert_contains "$stderr" 1.0.1
  cat "$BATS_TEST_TMPDIR/lock" >"$project/Cargo.lock"
  # What is missing alone is made.
  run -1 --separate-stderr patch_in "$project" check
  assert_contains "$output$stderr" "$copy"
  run -0 --separate-stderr launch "$project" \
    grep -o '"[a-z]* 1' "$copy/src/lib.rs"
  assert_equal "$output" '"patched 1'
  run -0 --separate-stderr patch_in "$project" check
  assert_equal "$(stat -c %a "$project/$copy" "$project/$copy/src/lib.rs" |
    paste -sd ' ')" "755 444"

  # cargo would take this one.
  as_user mkdir "$project/.cargo"
  echo '[patch.crates-io.greet]
path = "mine"' | as_user tee "$project/.cargo/config.toml" >/dev/null
  refused launch "$project" true
  assert_contains "$stderr" ".cargo/config.toml"
  rm -r "${project:?}/.cargo"

  # A ledger that cannot be read is not a project without patches.
  as_user sh -c 'echo x >>"$1"' sh "$project/.drydock/patches.json"
  run ! --separate-stderr launch "$project" true
  assert_contains "$stderr" ".drydock/patches.json"
  finds_nothing docker ps -aq --filter label=io.drydock.session
}

@test "the end of a session tells of a copy or a lock that was changed there" {
  local copy
  patch_greet "$project"
  copy=$(copy_of "$project")
  run -3 --separate-stderr launch "$project" sh -c \
    'chmod u+w "$1" && echo >>"$1" && exit 3' sh "$copy/src/lib.rs"
  assert_contains "$stderr" "$copy/src/lib.rs"
  refused launch "$project" true
  patch_in "$project" apply

  as_user cp "$project/Cargo.lock" "$project/moved"
  lock_moves "$project/moved"
  run -0 --separate-stderr launch "$project" mv moved Cargo.lock
  assert_contains "$stderr" greet
  assert_contains "$stderr" 1.0.1
  refused launch "$project" true
}

@test "attach tells of a changed copy, and a stopped session does not start" {
  local copy
  counter_setup
  export CARGO_HOME=$host
  patch_greet "$project"
  copy=$(copy_of "$project")
  open_counter
  as_user drydock exec "$id" -- sh -c 'chmod u+w "$1" && echo >>"$1"' \
    sh "$copy/src/lib.rs" </dev/null
  run -0 on_terminal "expect:$copy/src/lib.rs" 'expect:agent first' \
    $'send:\034' 'expect:goes on' -- drydock attach "$id"
  goes_on
  docker kill "drydock-$id-agent-1" >/dev/null
  wait_for "a stopped session" test_state stopped
  run --separate-stderr on_terminal -- timeout 60 drydock attach "$id"
  [ "$status" = 77 ] || fail "status $status" "$output" "$stderr"
  assert_contains "$output$stderr" "$copy/src/lib.rs"
  test_state stopped
  patch_in "$project" apply
  run -0 on_terminal 'expect:agent resumed' $'send:\034' 'expect:goes on' \
    -- drydock attach "$id"
}
