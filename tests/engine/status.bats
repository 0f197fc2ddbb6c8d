# SPDX-License-Identifier: MIT
# What a session gives back: status, stdout, stderr.

load ../helper
load between

setup() {
  bed_setup user
}

teardown() {
  between_teardown
}

# The others are in stub-parity.bats, too.
@test "one that is no program ends with 126, one that is not there 127, one that is killed 128 and the signal" {
  if all_cases; then
    run -127 in_session no-such-command
    # shellcheck disable=SC2016 # the session's shell
    run -143 in_session sh -c 'kill -TERM $$'
    # shellcheck disable=SC2016
    run -137 in_session sh -c 'kill -KILL $$'
  fi
  : >"$project/not-a-program"
  chmod 0644 "$project/not-a-program"
  run in_session ./not-a-program
  assert_equal "$status" 126
}

@test "arguments arrive as they are, stdout and stderr are byte-clean and apart, a status comes back" {
  local want
  local -a odd=('a b' "\$HOME" "''" '"' "*" '' '-x' '$(id)' $'tab\there' 'é')
  head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
  # shellcheck disable=SC2016 # the session's shell
  as_who drydock shell "$project" -- \
    sh -c 'printf "<%s>" "$@"; cat; echo err >&2; exit 255' sh "${odd[@]}" \
    <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" \
    2>"$BATS_TEST_TMPDIR/err" || status=$?
  assert_equal "$status" 255
  {
    printf '<%s>' "${odd[@]}"
    cat "$BATS_TEST_TMPDIR/in"
  } | cmp - "$BATS_TEST_TMPDIR/out"
  assert_equal "$(grep -v '^drydock:' "$BATS_TEST_TMPDIR/err")" err
  all_cases || return 0
  for want in 0 1 42; do
    run in_session sh -c "exit $want"
    assert_equal "$status" "$want"
  done
}

@test "a container that ends while it is verified is an engine's failure" {
  # It ends between the answer about it and the moment at which that is given.
  between_setup
  local ours="label=io.drydock.state=\$(cat '$XDG_STATE_HOME/drydock/id')"
  between after 'GET .*/containers/[0-9a-f]*/json' \
    "! grep -q '\"running\"' || docker kill \$(docker ps -q --filter \"$ours\" --filter label=io.drydock.role=agent) >/dev/null"
  run --separate-stderr in_session echo ran
  assert_equal "$status" 69
  assert_equal "$output" ""
  assert_contains "$stderr" "the agent container "
  assert_contains "$stderr" " does not run (status 137)"
}
