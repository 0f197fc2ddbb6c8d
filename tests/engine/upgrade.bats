# SPDX-License-Identifier: MIT
# What an older drydock started is the new one's to list, show, run commands in,
# stop and collect.  The older one is built from the history in UPGRADE_HISTORY
# (a repository), or taken from UPGRADE_PREFIX, where it was installed.

bats_require_minimum_version 1.5.0
load ../helper
load counter

# The last one whose wire format, record and layout are of version 1.
OLD=ff711a3

old_install() {
  local build=$BATS_FILE_TMPDIR/old-src
  mkdir "$build" &&
    git -c safe.directory="*" -C "$UPGRADE_HISTORY" archive "$OLD" | tar -C "$build" -xf - &&
    cd "$build" && ./autogen.sh &&
    ./configure --quiet --prefix="$BATS_FILE_TMPDIR/old" &&
    make -s -j2 && make -s install
}

setup_file() {
  counter_prefix
  if [ -n "${UPGRADE_PREFIX-}" ]; then
    cp -R "$UPGRADE_PREFIX" "$BATS_FILE_TMPDIR/old"
  elif git -c safe.directory="*" -C "${UPGRADE_HISTORY-/nowhere}" cat-file -e "$OLD^{commit}" \
    2>/dev/null; then
    old_install >"$BATS_FILE_TMPDIR/old.log" 2>&1 || {
      tail -20 "$BATS_FILE_TMPDIR/old.log"
      return 1
    }
  else
    return 0
  fi
  # The old one knows no more of an agent's file.
  jq '{command, resume_args}' \
    "$BATS_FILE_TMPDIR/prefix/share/drydock/agents/counter.json" \
    >"$BATS_FILE_TMPDIR/old/share/drydock/agents/counter.json"
  chmod -R go+rX "$BATS_FILE_TMPDIR/old"
}

setup() {
  bed_setup
  [ -e "$BATS_FILE_TMPDIR/old/bin/drydock" ] ||
    skip "UPGRADE_HISTORY is no repository with $OLD"
  counter_setup
  old=$BATS_FILE_TMPDIR/old/bin/drydock
  # Its images are its own, on the base that the new ones have.
  images=$XDG_STATE_HOME/drydock/images.json
  jq '.images |= map(select(.kind == "base"))' "$images" >"$images.new"
  cat "$images.new" >"$images"
  rm "$images.new"
  run -0 as_who "$old" build --bootstrap
}

teardown() {
  [ -z "${viewer-}" ] || kill "$viewer" 2>/dev/null || true
}

# open_old: one more session of the old one, left by its terminal; sets $id.
open_old() {
  local before
  before=$(ls "$XDG_STATE_HOME/drydock/sessions")
  on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    "$old" new "$project" -- first >/dev/null || return
  id=$(comm -13 <(printf '%s\n' "$before") \
    <(ls "$XDG_STATE_HOME/drydock/sessions"))
  home=$XDG_STATE_HOME/drydock/sessions/$id/home
}

wait_viewer() {
  tail --pid="$viewer" -f /dev/null
  return "$(cat "$BATS_TEST_TMPDIR/viewer.status")"
}

@test "what the version before started is listed, shown, used and ended" {
  local running detached stopped ended file
  open_old && ended=$id
  # The wire's and the record's version are the old ones.
  assert_equal "$(jq .version "$home/../session.json")" 1
  open_old && stopped=$id
  open_old && detached=$id
  open_old && running=$id
  {
    on_terminal 'expect:agent first' 'expect:ended elsewhere' -- \
      "$old" attach "$running" >"$BATS_TEST_TMPDIR/viewer" 2>&1 3>&- ||
      echo "$?" >"$BATS_TEST_TMPDIR/viewer.status"
  } &
  viewer=$!
  id=$running
  wait_for "a viewer" test_state running
  docker kill "drydock-$stopped-agent-1" >/dev/null
  as_who touch "$XDG_STATE_HOME/drydock/sessions/$ended/home/end"
  id=$ended
  wait_for "the end" test_state ended

  for file in "$running running" "$detached detached" "$stopped stopped"; do
    assert_equal "$(state_of "${file% *}")" "${file#* }"
  done
  # Another launch collects what has ended, and nothing else.
  run -0 as_who drydock gc
  assert_equal "$output" "$ended removed"

  id=$detached
  home=$XDG_STATE_HOME/drydock/sessions/$id/home
  goes_on
  run -0 on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock attach "$detached"
  # Its holder cannot: what can is said.
  run -69 --separate-stderr as_who drydock exec "$detached" -- true </dev/null
  assert_contains "$stderr" "docker exec -it drydock-$detached-agent-1 CMD"
  assert_equal "$(docker exec "drydock-$detached-agent-1" pwd)" "$project"
  run -0 as_who drydock logs "$detached"
  goes_on

  run -0 on_terminal 'expect:agent resumed' $'send:\034' 'expect:goes on' -- \
    drydock attach "$stopped"
  assert_equal "$(state_of "$stopped")" detached

  for id in "$running" "$detached" "$stopped"; do
    run -0 as_who drydock stop "$id"
    assert_equal "$output" "$id ended"
    [ ! -e "$XDG_STATE_HOME/drydock/sessions/$id" ]
  done
  # The old one's viewer has the status of what stop sends.
  run -143 wait_viewer
  viewer=
  finds_nothing docker ps -aq --filter label=io.drydock.session
}
