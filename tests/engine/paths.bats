# SPDX-License-Identifier: MIT
# A project's path is data.

load ../helper

setup() {
  bed_setup user
}

# reads_mark DIRECTORY-NAME: a mark is read back inside under the same path.
reads_mark() {
  local dir=$BATS_TEST_TMPDIR/project/$1
  mkdir "$dir"
  printf 'mark of %s' "$1" >"$dir/mark"
  chown -R "$BED_UID:$BED_UID" "$dir"
  run --separate-stderr as_who drydock shell "$dir" -- \
    sh -c 'cat mark; printf "|%s" "$(pwd -P)"' </dev/null
  [ "$status" -eq 0 ] || fail "$1: status $status" "$stderr" || return
  assert_equal "$output" "mark of $1|$dir"
}

@test "spaces, quotes and a leading dash" {
  reads_mark 'with some spaces'
  reads_mark "it's \"quoted\""
  reads_mark '-leading'
}

@test "what a compose file would interpolate" {
  reads_mark "\$HOME"
  reads_mark "\${X}"
  reads_mark "a\$\$b"
  reads_mark '{a,b}'
}

@test "a comma, a percent sign, a hash and an equals sign" {
  reads_mark 'a,b'
  reads_mark '100%s'
  reads_mark '#hash'
  reads_mark 'a=b'
}

@test "UTF-8" {
  reads_mark 'größe-目录-🚢'
}

@test "a newline, a colon or a backslash works or is refused by name" {
  local name dir
  for name in $'new\nline' 'co:lon' "back\\slash"; do
    dir=$project/$name
    mkdir "$dir"
    printf mark >"$dir/mark"
    chown -R "$BED_UID:$BED_UID" "$dir"
    run --separate-stderr as_who drydock shell "$dir" -- cat mark </dev/null
    if [ "$status" -eq 0 ]; then
      assert_equal "$output" mark
    else
      [ "$status" -eq 77 ] || [ "$status" -eq 78 ] || [ "$status" -eq 64 ] ||
        fail "status $status" "$stderr"
      assert_contains "$stderr" "drydock: "
      assert_contains "$stderr" project
    fi
  done
  run docker ps -aq --filter label=io.drydock.session
  assert_equal "$output" ""
}

@test "a relative path with a leading dash" {
  mkdir "$project/-x"
  chown "$BED_UID:$BED_UID" "$project/-x"
  cd "$project"
  run --separate-stderr as_who drydock shell ./-x -- pwd </dev/null
  assert_equal "$output" "$project/-x"
}
