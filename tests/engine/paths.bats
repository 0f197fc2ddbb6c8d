# SPDX-License-Identifier: MIT
# A project's path is data.

load ../helper

setup() {
  bed_setup user
}

# reads_mark NAME: a mark is read back inside under the same path, which is said
# by a relative path.
reads_mark() {
  local dir=$BATS_TEST_TMPDIR/project/$1
  mkdir "$dir"
  printf 'mark of %s' "$1" >"$dir/mark"
  chown -R "$BED_UID:$BED_UID" "$dir"
  cd "$project" || return
  run --separate-stderr as_who drydock shell "./$1" -- \
    sh -c 'cat mark; printf "|%s" "$(pwd -P)"' </dev/null
  [ "$status" -eq 0 ] || fail "$1: status $status" "$stderr" || return
  assert_equal "$output" "mark of $1|$dir"
}

# A path meets a grammar in binds, labels, seccomp=PATH, -f, the environment and
# in addresses of sockets.
in_odd_directories() {
  local base=$BATS_TEST_TMPDIR/names name
  name='a=b,c$d#e%f{g}h;i~ j'"k'l\"m-größe-目录"
  mkdir -p "$base/$name"/{state,config/drydock,runtime}
  chmod 0711 "$base"
  chown -R "$BED_UID:$BED_UID" "$base/$name"
  export XDG_STATE_HOME=$base/$name/state XDG_CONFIG_HOME=$base/$name/config
  export XDG_RUNTIME_DIR=$base/$name/runtime
  images_record "$BED_UID" "$XDG_STATE_HOME"
}

# In check --full each by itself.
@test "a name of what a shell, a compose file or an option means, and UTF-8" {
  local name names=("-it's \"quoted\" {a,b}\$HOME-\${X}a\$\$b #größe-目录-🚢,100%s=b;c~d")
  ! all_cases || names+=('with some spaces' "it's \"quoted\"" -leading "\$HOME"
    "\${X}" "a\$\$b" '{a,b}' 'a,b' '100%s' '#hash' 'a=b' 'größe-目录-🚢')
  in_odd_directories
  for name in "${names[@]}"; do
    reads_mark "$name"
  done
  [ -e "$XDG_STATE_HOME/drydock/id" ]
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
  finds_nothing docker ps -aq --filter label=io.drydock.session
}

# Before anything runs.
@test "a state directory that cannot work is refused by name" {
  local base=$BATS_TEST_TMPDIR/names name long
  mkdir "$base"
  chmod 0711 "$base"
  # 4,000 bytes: more than any socket's name holds.
  long=$base
  while [ "${#long}" -lt 3800 ]; do
    long+=/$(printf 'd%.0s' {1..199})
  done
  mkdir -p "$long"
  chown -R "$BED_UID:$BED_UID" "$base"/d*
  images_record "$BED_UID" "$long"
  run --separate-stderr as_who env XDG_STATE_HOME="$long" \
    drydock shell "$project" -- true </dev/null
  [ "$status" -eq 0 ] || assert_contains "$stderr" "XDG_STATE_HOME"
  for name in $'new\nline' 'co:lon' "back\\slash"; do
    run -78 --separate-stderr as_who env XDG_STATE_HOME="$base/$name" \
      drydock shell "$project" -- true </dev/null
    assert_contains "$stderr" XDG_STATE_HOME
  done
}
