# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# With DRYDOCK_TEST_TOOLCHAINS=all: the images with the toolchains and packages
# that a file's environment names, built once for the file.  Every layer below
# these is the bed's.

setup_file() {
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ] || return 0
  export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
  bed_setup user
  images_all >"$BATS_FILE_TMPDIR/before"
  as_user drydock build --bootstrap >"$BATS_FILE_TMPDIR/build" 2>&1 ||
    fail "$(tail -n 30 "$BATS_FILE_TMPDIR/build")"
}

teardown_file() {
  [ ! -e "$BATS_FILE_TMPDIR/before" ] ||
    images_remove_new "$BATS_FILE_TMPDIR/before"
}

# The record that the build made, in place of the bed's.
toolchains_adopt() {
  [ ! -e "$BATS_FILE_TMPDIR/state" ] ||
    as_user cp "$BATS_FILE_TMPDIR/state/drydock/images.json" \
      "$XDG_STATE_HOME/drydock/images.json"
}
