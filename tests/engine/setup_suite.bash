# shellcheck shell=bash
# SPDX-License-Identifier: MIT

# A bed that is not whole is a failure, never a skip.
setup_suite() {
  # shellcheck source=../helper.bash
  source "$BATS_TEST_DIRNAME/../helper.bash"
  bed_guard || return
  docker version >/dev/null || return
  local uid
  for uid in 0 "$BED_UID"; do
    [ -n "$(agent_image "$uid")" ] || fail "no agent image for uid $uid" ||
      return
  done
  [ -n "$(egress_image)" ] || fail "no egress image"
}
