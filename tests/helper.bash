# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What every .bats file loads.  Tests run in a bed (tests/bed); each has its own
# configuration and state, but one HOME, since images are made for a home.

bats_require_minimum_version 1.5.0

# Refuses to run anywhere but in the bed: a test that removes things must never
# see somebody's own home or engine.
bed_guard() {
  case ${BED-} in
    /*) ;;
    *)
      echo "not in a bed: see tests/bed" >&2
      return 1
      ;;
  esac
  case $HOME:${DRYDOCK_ENGINE-} in
    "$BED"/home:"$BED"/* | "$BED"/user:"$BED"/*) ;;
    *)
      echo "HOME and engine are not the bed's" >&2
      return 1
      ;;
  esac
  [ -e "$BED/prefix" ]
}

# Fresh configuration, state and runtime directories for one test.
bed_setup() {
  bed_guard || return
  export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
  export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
  export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/runtime
  mkdir -p "$XDG_CONFIG_HOME/drydock" "$XDG_STATE_HOME" "$XDG_RUNTIME_DIR"
  project=$BATS_TEST_TMPDIR/project
  mkdir "$project"
  if [ "$(id -u)" = 0 ]; then
    chown -R "$BED_UID:$BED_UID" "$XDG_CONFIG_HOME" "$XDG_STATE_HOME" \
      "$XDG_RUNTIME_DIR" "$project"
    # The test's directory is root's, and the ordinary user passes through.
    chmod 0711 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_SUITE_TMPDIR" \
      "$BATS_RUN_TMPDIR"
  fi
}

# Runs a command as the bed's ordinary user, under umask 077.
as_user() (
  umask 077
  HOME=$BED/user exec setpriv --reuid "$BED_UID" --regid "$BED_UID" \
    --clear-groups "$@"
)

# As whoever the test is about: who=root or who=user (the default).
as_who() {
  if [ "${who-user}" = root ]; then
    "$@"
  else
    as_user "$@"
  fi
}

# in_session COMMAND...: a contained session on $project.
in_session() {
  as_who drydock shell "$project" -- "$@" </dev/null
}

fail() {
  printf '%s\n' "$@" >&2
  return 1
}

assert_equal() {
  [ "$1" = "$2" ] || fail "got:  $1" "want: $2"
}

assert_contains() {
  case $1 in
    *"$2"*) ;;
    *) fail "got: $1" "want in it: $2" ;;
  esac
}

refute_contains() {
  case $1 in
    *"$2"*) fail "got: $1" "not wanted in it: $2" ;;
  esac
}
