# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A second prefix with an agent that shows whether it goes on: it prints
# "agent HOW PID", counts in ~/count, and ends with 7 when ~/end is there, or
# with what that says.

counter_prefix() {
  cp -R "$(cat "$BED/prefix")" "$BATS_FILE_TMPDIR/prefix"
  images_agent "$BATS_FILE_TMPDIR/prefix" counter <<'END'
{
  "command": ["bash", "-c", "echo \"agent $1 $$\"; i=0; while [ ! -e ~/end ]; do i=$((i + 1)); echo \"$i $$\" >~/count.new; mv ~/count.new ~/count; sleep 0.05; done; read -r s <~/end || s=7; exit \"$s\"", "counter"],
  "resume_args": ["resumed"]
}
END
  chmod -R go+rX "$BATS_FILE_TMPDIR/prefix"
  chmod 0711 "$BATS_FILE_TMPDIR"
}

# Of each file that loads this one and has none of its own.
setup_file() {
  counter_prefix
}

counter_setup() {
  PATH=$BATS_FILE_TMPDIR/prefix/bin:$PATH
  export DRYDOCK_AGENT=counter
  images_for_agent counter
  cd "$project" || return
}

# make_project DIR: another empty directory of the ordinary user's.
make_project() {
  install --directory --owner "$BED_UID" --group "$BED_UID" "$1"
}

# on_terminal STEP... -- COMMAND...
on_terminal() {
  as_who "$BATS_TEST_DIRNAME/servers/terminal.py" "$@"
}

# open_counter: a session that its terminal has left; $id is its id.
open_counter() {
  on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock new "$project" -- first >/dev/null || return
  id=$(as_who drydock list | sed -n "1s/ .*//p")
  home=$XDG_STATE_HOME/drydock/sessions/$id/home
}

# shared_counter: instead of bed_setup, for tests that leave a session as it was:
# the next one has it, too, and the directories.  $id and $home are its.
shared_counter() {
  local dir=$BATS_FILE_TMPDIR/shared
  if [ -e "$dir/id" ]; then
    # shellcheck disable=SC2034 # helper.bash's
    who=user
    bed_dirs "$dir"
    counter_setup || return
    id=$(cat "$dir/id")
    home=$XDG_STATE_HOME/drydock/sessions/$id/home
    [ "$(state_of "$id")" != detached ] || return 0
    as_who drydock stop --all --force >/dev/null 2>&1 || true
  fi
  rm -rf "$dir"
  mkdir "$dir"
  BATS_TEST_TMPDIR=$dir bed_setup user && counter_setup && open_counter &&
    printf '%s\n' "$id" >"$dir/id"
}

# The end of such a test: one that failed takes its session along.
shared_leave() {
  [ -n "${BATS_TEST_COMPLETED-}" ] ||
    as_who drydock stop --all --force >/dev/null 2>&1 || true
}

# The end of their file.
shared_teardown() {
  bed_guard || return
  # shellcheck disable=SC2034 # helper.bash's
  who=user
  bed_dirs "$BATS_FILE_TMPDIR/shared"
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

state_of() {
  json_next "$(as_who drydock list --all --json 2>/dev/null)" id "$1" state
}

test_state() {
  [ "$(state_of "$id")" = "$1" ]
}

# Whether the agent counts on, in the same process.
goes_on() {
  local before pid now now_pid i
  wait_for "a count" test -s "$home/count" || return
  read -r before pid <"$home/count" || return
  for ((i = 0; i < 100; i++)); do
    read -r now now_pid <"$home/count" || true
    [ "$now_pid" = "$pid" ] || return
    [ "$now" -le "$before" ] || return 0
    sleep 0.1
  done
  return 1
}
