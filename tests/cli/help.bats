# SPDX-License-Identifier: MIT
# The command line itself: usage, help, version.

load ../helper

setup() {
  bed_setup self
}

@test "every command has help with its usage line" {
  local name names
  names=$(drydock --list-commands)
  [ -n "$names" ]
  for name in $names; do
    run -0 --separate-stderr drydock help "$name"
    assert_contains "$output" "usage: drydock $name"
    assert_equal "$stderr" ""
    local help=$output
    run -0 --separate-stderr drydock "$name" --help
    assert_equal "$output" "$help"
  done
}

@test "help lists every command, and the commands of the launch line are there" {
  local name
  run -0 drydock help
  for name in $(drydock --list-commands); do
    assert_contains "$output" "  $name"
  done
  for name in build config help plan run shell version; do
    assert_contains "$output" "  $name"
  done
}

@test "an unknown command is usage, with the nearest name" {
  run -64 --separate-stderr drydock shel
  assert_equal "$output" ""
  assert_contains "$stderr" 'unknown command "shel"'
  assert_contains "$stderr" shell
  assert_equal "${#stderr_lines[@]}" 1
}

@test "an unknown option is usage" {
  run -64 --separate-stderr drydock config --no-such-option
  assert_equal "$output" ""
  assert_contains "$stderr" "drydock: "
  assert_contains "$stderr" no-such-option
}

@test "what could not be written is no success" {
  run -74 --separate-stderr sh -c 'drydock help >/dev/full'
  assert_contains "$stderr" "No space left on device"
}

@test "the version is the package's" {
  run -0 drydock version
  assert_contains "$output" "drydock "
  local version=$output
  run -0 drydock --version
  assert_equal "$output" "$version"
}

@test "closed standard descriptors do no harm" {
  run -0 sh -c 'drydock version <&- 2>&-'
}
