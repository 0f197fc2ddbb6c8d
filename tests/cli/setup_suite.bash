# shellcheck shell=bash
# SPDX-License-Identifier: MIT

# A bed without the program would let tests pass that expect a failure.
setup_suite() {
  # shellcheck source=../helper.bash
  source "$BATS_TEST_DIRNAME/../helper.bash"
  bed_guard && drydock version >/dev/null
}
