# SPDX-License-Identifier: MIT
# Mounts below the project, in a session as on the host.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
  mounts=()
}

teardown() {
  local at
  for at in "${mounts[@]}"; do
    umount "$at"
  done
  [ ! -d /run/media/drydock-test ] || find /run/media -depth -type d -empty -delete
}

# refused WORDS: by plan and by a launch alike, before anything is made.
refused() {
  run -77 --separate-stderr as_who drydock plan "$project"
  assert_contains "$stderr" "$1"
  run -77 --separate-stderr in_session true
  assert_contains "$stderr" "$1"
  assert_equal "$(find "$XDG_STATE_HOME/drydock/sessions" -mindepth 1)" ""
}

# mounted TARGET ARG...: mounts something, until the test ends.
mounted() {
  mkdir -p "$1"
  mount "${@:2}" "$1"
  mounts=("$1" "${mounts[@]}")
}

@test "mounts below the project are the session's as the host has them" {
  local other=$BATS_TEST_TMPDIR/other
  mkdir -p "$other/inner"
  chown -R "$BED_UID:$BED_UID" "$other"
  mounted "$project/deep/tmp" -t tmpfs -o "uid=$BED_UID,gid=$BED_UID" none
  mounted "$project/deep/tmp/nested" --bind "$other"
  mounted "$project/fixed" --bind "$other"
  mount -o remount,ro,bind "$project/fixed"
  chown "$BED_UID:$BED_UID" "$project/deep"
  as_who drydock plan "$project" | grep -x 'verdict: allowed'
  # shellcheck disable=SC2016
  run -0 --separate-stderr in_session sh -c '
    echo one >deep/tmp/file && echo two >deep/tmp/nested/file &&
    cat fixed/file && ! echo three >fixed/file && df deep/tmp | tail -1'
  assert_equal "${lines[0]}" two
  assert_contains "${lines[1]}" "$project/deep/tmp"
  assert_equal "$(cat "$project/deep/tmp/file")" one
  assert_equal "$(cat "$other/file")" two
}

@test "a project on a read-only mount is read-only, and a writable mount below it is not" {
  echo text >"$project/file"
  mkdir "$project/below"
  mount --bind "$project" "$project"
  mounts=("$project")
  mounted "$project/below" -t tmpfs -o "uid=$BED_UID,gid=$BED_UID" none
  mount -o remount,ro,bind "$project"
  as_who drydock plan "$project" | grep -x 'verdict: allowed'
  run -0 --separate-stderr in_session sh -c \
    'cat file; ! touch made && touch below/made'
  assert_equal "${lines[0]}" text
  assert_contains "$stderr" "$project is read-only in the session, as its mount is"
  test -e "$project/below/made"
}

@test "a session restarts with the mounts below its project, and no other" {
  mounted "$project/below" -t tmpfs -o "uid=$BED_UID,gid=$BED_UID" none
  open_counter
  # The agent of a live session can rename the parents of a mount point.
  run -77 --separate-stderr in_session true
  assert_contains "$stderr" \
    "session $id can write $project, in which this session would mount"
  docker kill "$(docker ps -q --filter "label=io.drydock.session=$id" \
    --filter label=io.drydock.role=agent)"
  wait_for "a stopped session" test_state stopped
  mounted "$project/later" -t tmpfs none
  run -77 on_terminal -- drydock attach "$id"
  assert_contains "$output" "$project/later (tmpfs) is mounted below"
  umount "$project/later"
  mounts=("$project/below")
  # Another mount at the same place.
  umount "$project/below"
  as_who mkdir -p "$BED/user/.ssh"
  mount --bind "$BED/user/.ssh" "$project/below"
  run -77 on_terminal -- drydock attach "$id"
  assert_contains "$output" "$project/below\" is a place of keys"
  umount "$project/below"
  mount -t proc proc "$project/below"
  run -77 on_terminal -- drydock attach "$id"
  assert_contains "$output" "$project/below (proc) is mounted below"
  umount "$project/below"
  mount -t tmpfs -o "uid=$BED_UID,gid=$BED_UID" none "$project/below"
  on_terminal 'expect:agent resumed' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
  as_who drydock exec "$id" -- touch "$project/below/made"
  test -e "$project/below/made"
}

@test "a mount below the project that no session may have is refused by name" {
  local text="is mounted below $project, and"
  mounted "$project/kernel" -t proc proc
  refused "$project/kernel (proc) $text a session cannot have such"
  umount "$project/kernel"
  touch "$project/file"
  mount --bind "$project/file" "$project/file"
  mounts=("$project/file")
  refused "$project/file ("
  assert_contains "$stderr" "a session can have mounted directories only"
  umount "$project/file"
  mounts=()
  mounted "$project/up/below" -t tmpfs none
  mounted "$project/up" -t tmpfs none
  refused "$project/up/below (tmpfs) $text another mount hides it"
  umount "$project/up"
  umount "$project/up/below"
  mounts=()
  as_who mkdir -p "$BED/user/.ssh"
  mounted "$project/keys" --bind "$BED/user/.ssh"
  refused "source-credentials: agent: \"$project/keys\" is a place of keys"
}

@test "a mount below a directory that the setting binds lists is refused" {
  local data=$BATS_TEST_TMPDIR/data
  mkdir -p "$data"
  chown "$BED_UID:$BED_UID" "$data"
  mounted "$data/below" -t tmpfs none
  echo "binds = $data" | as_who tee -a "$XDG_CONFIG_HOME/drydock/drydock.conf" \
    >/dev/null
  as_who mkdir "$XDG_CONFIG_HOME/drydock/compose.d"
  printf '%s\n' 'services:' '  agent:' '    volumes:' \
    "      - {type: bind, source: $data, target: /data," \
    "         bind: {create_host_path: false}}" |
    as_who tee "$XDG_CONFIG_HOME/drydock/compose.d/data.yml" >/dev/null
  refused "$data/below (tmpfs) is mounted below $data, and"
}

@test "a project on a disk below /run/media works, and one in /run does not" {
  local disk=/run/media/drydock-test/disk
  mounted "$disk" -t tmpfs -o "mode=0755,uid=$BED_UID" none
  as_who mkdir "$disk/project"
  project=$disk/project
  run -0 --separate-stderr in_session sh -c 'pwd && touch made'
  assert_equal "$output" "$project"
  test -e "$project/made"
  project=/run/media/drydock-test/plain
  install --directory --owner "$BED_UID" "$project"
  run -77 --separate-stderr in_session true
  rmdir "$project"
  assert_contains "$stderr" 'lies in "/run", a system directory'
}
