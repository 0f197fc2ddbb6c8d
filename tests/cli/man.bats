# SPDX-License-Identifier: MIT
# The manual says what the tables say.

load ../helper

setup() {
  bed_setup self
  man_dir=$BATS_TEST_DIRNAME/../../man
}

page() {
  MANWIDTH=78 mandoc -T ascii "$man_dir/$1" | sed 's/.\x08//g'
}

@test "drydock(1) tells of every command" {
  local name names text
  text=$(page drydock.1)
  names=$(drydock --list-commands)
  [ -n "$names" ]
  for name in $names; do
    assert_contains "$text" "$name"
  done
}

@test "drydock(1) has the exit status table" {
  local status text
  text=$(page drydock.1)
  for status in 0 1 64 65 69 70 74 75 77 78 130; do
    grep -E "^ +$status +" <<<"$text"
  done
}

@test "drydock.conf(5) tells of every setting" {
  local name names text
  text=$(page drydock.conf.5)
  names=$(drydock config | sed -n 's/ = .*//p')
  [ -n "$names" ]
  for name in $names; do
    assert_contains "$text" "$name"
  done
}
