# SPDX-License-Identifier: MIT
# What an agent can write is exchanged for a link while it becomes, or before it
# again is, a part of a session: found out by what is mounted, not by names.

load ../helper
load counter

# A docker-compose of ours, first in PATH, runs the script of a step.
setup() {
  bed_setup user
  counter_setup
  bin=$BATS_TEST_TMPDIR/bin
  mkdir "$bin"
  type -P docker-compose >"$bin/real"
  cat >"$bin/docker-compose" <<'END'
#!/bin/bash
here=${0%/*} real=$(cat "${0%/*}/real") what=
step() {
  [ ! -e "$here/$1.sh" ] || . "$here/$1.sh" >&2
}
for arg; do
  case $arg in
    config | up) what=$arg ;;
  esac
done
[ "$what" ] || exec "$real" "$@"
step "$what"
if [ "$what" = up ] && [ -e "$here/created.sh" ]; then
  "$real" "$@" --no-start || exit
  step created
fi
"$real" "$@" || exit
step "after-$what"
END
  chmod 0755 "$bin" "$bin/docker-compose"
  export DRYDOCK_COMPOSE=$bin/docker-compose
  # What no session may show.
  victim=$BATS_TEST_TMPDIR/victim
  mkdir -m 0755 "$victim"
  echo secret >"$victim/file"
}

teardown() {
  [ -z "${session_in-}" ] || close_session || true
}

# An agent that works on the parent of a project exchanges it when it is told.
open_outer() {
  outer=$project
  as_who mkdir "$outer/inner"
  echo mine | as_who tee "$outer/inner/file" >/dev/null
  # shellcheck disable=SC2016
  open_session sh -c 'echo ready; while :; do
    if [ -e go ]; then
      rm go; mv inner moved && ln -s "$0" inner && : >done
    fi
    sleep 0.1
  done & read -r _; kill $!' "$victim"
  project=$outer/inner
}

# swap_at STEP: the other agent does it while drydock waits there.
swap_at() {
  cat >"$bin/$1.sh" <<END
: >'$outer/go'
i=0
until [ -e '$outer/done' ] || [ \$((i += 1)) -gt 600 ]; do sleep 0.1; done
END
  run --separate-stderr in_session cat file
  rm "$bin/$1.sh"
  [ -L "$outer/inner" ] || fail "not swapped at $1" "$stderr"
  rm "$outer/done" "$outer/inner"
  as_who mv "$outer/moved" "$outer/inner"
  # The outer session alone is left.
  assert_equal "$(docker ps -aq | wc -l)" 2
  assert_equal \
    "$(find "$XDG_STATE_HOME/drydock/sessions" -mindepth 1 -maxdepth 1 | wc -l)" 1
}

@test "a project in another session's project is swapped at each step, and before a restart" {
  local step
  open_outer
  for step in config after-config up created; do
    swap_at "$step"
    [ "$status" -eq 77 ] || fail "$step" "status $status" "$stderr"
    assert_equal "$output" ""
  done
  # Once it is mounted it is the one that was judged, by whatever name.
  swap_at after-up
  assert_equal "$status" 0
  assert_equal "$output" mine
  # Before a restart.
  cd "$project"
  on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock new "$project" -- first
  id=$(as_who drydock list | cut -c 1-8)
  docker kill "$(docker ps -q --filter "label=io.drydock.session=$id" \
    --filter label=io.drydock.role=agent)"
  wait_for "a stopped session" test_state stopped
  : >"$outer/go"
  wait_for "a swap" test -e "$outer/done"
  run -77 on_terminal -- drydock attach "$id"
  assert_equal "$(state_of "$id")" stopped
  as_who drydock stop --force "$id"
}

@test "the parent of a mount point leads to the guardrails at a restart" {
  local who_home=$HOME
  [ "$who" = root ] || who_home=$BED/user
  project=$who_home/deep/claude-code
  as_who mkdir -p "$project"
  cd "$project"
  open_counter
  # The project would be mounted over /etc/claude-code, and be writable there.
  as_who drydock exec "$id" -- sh -c 'cd && mv deep away && ln -s /etc deep'
  [ -L "$home/deep" ]
  docker kill "$(docker ps -q --filter "label=io.drydock.session=$id" \
    --filter label=io.drydock.role=agent)"
  wait_for "a stopped session" test_state stopped
  run -77 on_terminal -- drydock attach "$id"
  assert_contains "$output" "deep"
  assert_equal "$(state_of "$id")" stopped
  # With the link gone it goes on.
  as_who sh -c "rm '$home/deep' && mv '$home/away' '$home/deep'"
  run -0 on_terminal 'expect:new process' $'send:\034' -- drydock attach "$id"
  as_who drydock stop "$id"
  rm -rf "${who_home:?}/deep"
}

@test "a bind below the project needs the project for itself" {
  local cache=$BATS_TEST_TMPDIR/cache
  as_who mkdir "$project/deep"
  as_user mkdir -p "$XDG_CONFIG_HOME/drydock/compose.d"
  install -d -o "$BED_UID" -g "$BED_UID" -m 0700 "$cache"
  # The agent of another session leads the engine into the new one's home.
  # shellcheck disable=SC2016
  open_session sh -c 'echo ready; while :; do
    if [ -e go ]; then
      rm go; mv deep moved && ln -s ~/elsewhere deep && : >done
    fi
    sleep 0.1
  done & read -r _; kill $!'
  echo "binds = $cache" | as_user tee -a "$XDG_CONFIG_HOME/drydock/drydock.conf" \
    >/dev/null
  as_user tee "$XDG_CONFIG_HOME/drydock/compose.d/cache.yml" <<END >/dev/null
services:
  agent:
    volumes:
      - type: bind
        source: $cache
        target: $project/deep/cache
        bind: { create_host_path: false }
END
  cat >"$bin/up.sh" <<END
: >'$project/go'
i=0
until [ -e '$project/done' ] || [ \$((i += 1)) -gt 600 ]; do sleep 0.1; done
END
  run --separate-stderr in_session true
  rm "$bin/up.sh"
  assert_equal "$(find "$XDG_STATE_HOME" "$project" "$cache" ! -uid "$BED_UID")" ""
  assert_equal "$status" 77
  assert_contains "$stderr" "can write $project"
  assert_contains "$stderr" 'end it with "drydock stop '
  [ -d "$project/deep" ]
  [ ! -L "$project/deep" ]
  close_session
  unset session_in
  # Alone it has what it asks for, and nothing of that is root's.
  run --separate-stderr in_session sh -c 'echo mine >deep/cache/file'
  assert_equal "$status" 0
  assert_equal "$(cat "$cache/file")" mine
  assert_equal "$(find "$XDG_STATE_HOME" "$project" "$cache" ! -uid "$BED_UID")" ""
}
