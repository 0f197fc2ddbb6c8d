# SPDX-License-Identifier: MIT
# What plan allows is what a launch does: projects by their modes.

load ../helper

setup() {
  bed_setup user
}

teardown() {
  [ -z "${engine_gid-}" ] || chgrp "$engine_gid" "$DRYDOCK_ENGINE"
}

# As somebody who has a further group.
with_group() (
  umask 077
  HOME=$BED/user exec setpriv --reuid "$BED_UID" --regid "$BED_UID" \
    --groups "$1" "${@:2}"
)

# refused WORDS COMMAND...: before anything is made, plan and launch alike.
refused() {
  local words=$1
  shift
  run -77 --separate-stderr "$@" drydock plan "$project"
  assert_contains "$stderr" "$words"
  run -77 --separate-stderr "$@" drydock shell "$project" -- true
  assert_contains "$stderr" "$words"
  assert_equal "$(find "$XDG_STATE_HOME/drydock/sessions" -mindepth 1)" ""
}

@test "a project that is the caller's by its group" {
  chown 0:23456 "$project"
  chmod 2770 "$project"
  with_group 23456 drydock plan "$project" | grep -x 'verdict: allowed'
  run -0 --separate-stderr with_group 23456 drydock shell "$project" -- \
    sh -c 'id -G && umask 002 && touch made && mkdir dir'
  assert_equal "$output" "$BED_UID 23456"
  assert_equal "$(stat -c '%u %g' "$project/made")" "$BED_UID 23456"
}

@test "a group of the system's or the engine's gives no project" {
  chown 0:42 "$project"
  chmod 2770 "$project"
  refused "is readable for you through group 42, which sessions do not get because it is a system group" with_group 42
  engine_gid=$(stat -c %g "$DRYDOCK_ENGINE")
  chgrp 34567 "$project" "$DRYDOCK_ENGINE"
  refused "34567, which sessions do not get because it is the engine's" with_group 34567
}

@test "root's session on what root cannot read without its capabilities" {
  chmod 0700 "$project"
  export who=root
  images_record 0 "$XDG_STATE_HOME"
  chown -R 0:0 "$XDG_STATE_HOME" "$XDG_CONFIG_HOME" "$XDG_RUNTIME_DIR"
  refused "it belongs to uid $BED_UID (mode 0700)" as_who
  chmod 0755 "$project"
  run -0 in_session sh -c 'ls && ! touch made'
}
