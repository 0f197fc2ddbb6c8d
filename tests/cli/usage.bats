# SPDX-License-Identifier: MIT
# Which command a command line is, and what completions ask for.

load ../helper

setup() {
  bed_setup self
}

@test "a bare directory is no command, and the advice can be pasted" {
  mkdir "$BATS_TEST_TMPDIR/a dir"
  run -64 --separate-stderr drydock "$BATS_TEST_TMPDIR/a dir"
  assert_equal "$output" ""
  assert_contains "$stderr" "drydock run '$BATS_TEST_TMPDIR/a dir'"
}

@test "options and -- without a command are those of run" {
  run -64 --separate-stderr drydock --no-such-option
  assert_contains "$stderr" "drydock: run: unknown option --no-such-option"
  run -0 drydock --mode contained --help
  assert_contains "$output" "usage: drydock run"
}

@test "a command behind its options is shown where it belongs" {
  cd "$BATS_TEST_TMPDIR"
  run -64 --separate-stderr drydock --engine '/a b.sock' shell . -- echo x
  assert_equal "$output" ""
  assert_equal "$stderr" "drydock: put the command first:\
 drydock shell --engine '/a b.sock' . -- echo x"
  mkdir shell
  run --separate-stderr drydock --engine /absent.sock shell
  refute_contains "$stderr" "put the command first"
}

@test "a missing value, one too many and a bad one are usage" {
  run -64 --separate-stderr drydock config --pids
  assert_equal "$stderr" "drydock: config: --pids needs a value (NUMBER)"
  run -64 --separate-stderr drydock config --json=yes
  assert_equal "$stderr" "drydock: config: --json takes no value"
  run -64 --separate-stderr drydock config --pids=many
  assert_equal "$stderr" \
    'drydock: --pids: pids: "many" is not a whole number'
  run -64 --separate-stderr drydock sync operand
  assert_equal "$stderr" 'drydock: sync: unexpected operand "operand"'
}

@test "help works though a file is wrong, and only what needs it complains" {
  echo 'memry = 4g' >"$XDG_CONFIG_HOME/drydock/drydock.conf"
  run -0 drydock config --help
  run -0 drydock version
  run -78 drydock config
}

@test "config --help lists every setting as an option" {
  local name help
  help=$(drydock config --help)
  for name in $(drydock --list-settings | cut -f 1); do
    assert_contains "$help" "  --${name//_/-} "
  done
}

@test "config --json is JSON with the same keys" {
  run -0 drydock config --json
  assert_equal "$(jq -r 'keys_unsorted[]' <<<"$output")" \
    "$(drydock --list-settings | cut -f 1)"
}

@test "an unknown list, and a list with an operand, are usage" {
  run -64 drydock --list-nothing
  run -64 drydock --list-commands x
  run -64 drydock --list-options no-such-command
}

@test "completion in bash offers what the tables hold" {
  complete_line() {
    bash -c 'source "$1"; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }
      _drydock; printf "%s\n" "${COMPREPLY[@]}"' bash \
      "$BATS_TEST_DIRNAME/../../completions/bash/drydock" "$@"
  }
  assert_equal "$(complete_line drydock conf)" config
  assert_equal "$(complete_line drydock config --eng | sort | xargs)" \
    "--engine --engine-timeout"
  assert_equal "$(complete_line drydock config un)" unset
  assert_equal "$(complete_line drydock config set engine_)" engine_timeout
  assert_equal "$(complete_line drydock help vers)" version
  assert_equal "$(complete_line drydock run -- --eng)" ""
  # Where a session is wanted, no directory is offered, and the other way round.
  mkdir -p "$XDG_STATE_HOME"/drydock/sessions/{abcd1234,abcd5678,zzzz9999} \
    "$BATS_TEST_TMPDIR/here/abcdir"
  cd "$BATS_TEST_TMPDIR/here"
  assert_equal "$(complete_line drydock stop zzzz9999 abcd | sort | xargs)" \
    "abcd1234 abcd5678"
  assert_equal "$(complete_line drydock attach z)" zzzz9999
  assert_equal "$(complete_line drydock run abcd)" abcdir
  rm -r "$XDG_STATE_HOME/drydock"
  assert_equal "$(complete_line drydock attach z)" ""
}

@test "a command of other tools gets no advice that is far from it" {
  run -64 --separate-stderr drydock status
  assert_equal "$stderr" 'drydock: unknown command "status" (see drydock help)'
  run -64 --separate-stderr drydock atach
  assert_equal "$stderr" 'drydock: unknown command "atach" (nearest: attach)'
}

@test "a mode that does not exist is usage where it was typed" {
  local command
  for command in run shell new plan config; do
    run -64 --separate-stderr drydock "$command" --mode dodo
    assert_equal "$stderr" "drydock: $command: --mode: \"dodo\" is not a mode:\
 use contained or dood"
  done
  run -64 --separate-stderr drydock plan -mdodo
  assert_contains "$stderr" 'plan: -m: "dodo" is not a mode'
  DRYDOCK_MODE=dodo run -0 drydock config
}

@test "other tools' names of commands work, and help does not list them" {
  local pair
  for pair in ls:list ps:list rm:stop resume:attach; do
    run -0 drydock "${pair%:*}" --help
    assert_contains "$output" "usage: drydock ${pair#*:} "
    refute_contains "$(drydock help)" $'\n'"  ${pair%:*} "
    refute_contains "$(drydock --list-commands | xargs)" " ${pair%:*} "
  done
}

# no_reader COMMAND...: prints how COMMAND ended, and its words, when nobody
# reads its output.
no_reader() {
  python3 -c 'import os, subprocess, sys
r, w = os.pipe()
os.close(r)
p = subprocess.run(sys.argv[1:], stdout=w, stderr=subprocess.PIPE)
print(p.returncode, p.stderr.decode())' "$@"
}

@test "a reader that left ends any command as SIGPIPE does, without a word" {
  # Less than a buffer, and more.
  assert_equal "$(no_reader drydock version)" "-13 "
  assert_equal "$(no_reader drydock config)" "-13 "
  assert_equal "$(no_reader drydock config --help)" "-13 "
  assert_equal "$(no_reader drydock --list-statuses)" "-13 "
  # A full device is a failure as before.
  run -74 --separate-stderr bash -c 'drydock version >/dev/full'
  assert_contains "$stderr" "standard output"
}
