# SPDX-License-Identifier: MIT
# allow and deny: a line in the right list, and no line that does not parse.

load ../helper

setup() {
  bed_setup self
  global=$XDG_CONFIG_HOME/drydock/allowlist
  project_conf </dev/null
  list=${own%/*}/allowlist
  cd "$project" || return
  rm -f "$HOME/.npmrc"
}

teardown() {
  rm -f "$HOME/.npmrc"
}

@test "allow adds a line to the project's list, once" {
  printf '# mine' >"$list"
  echo 'registry=https://npm.example/' >"$HOME/.npmrc"
  run -0 --separate-stderr drydock allow A.example. b.example:8443 a.example \
    '*.c.example' http://d.example @npm
  assert_equal "$output" $'a.example\nb.example:8443\n*.c.example\nhttp://d.example\n@npm'
  assert_equal "$stderr" "drydock: @npm opens npm.example, which ~/.npmrc names
drydock: a.example is already open"
  assert_equal "$(<"$list")" "# mine
a.example
b.example:8443
*.c.example
http://d.example
@npm"
  [ ! -e "$global" ]
  run -0 --separate-stderr drydock allow a.example x.c.example
  assert_equal "$output" ""
  assert_equal "$stderr" "drydock: a.example is already open
drydock: x.c.example is already open"
  # Another permission is another line.
  run -0 drydock allow --private a.example
  assert_equal "$output" "a.example private"
  run -0 drydock allow --json e.example --project="$project"
  assert_equal "$(jq -c . <<<"$output")" \
    "{\"file\":\"$list\",\"changed\":[\"e.example\"],\"open\":[]}"
}

@test "a bundle has the hosts that this machine's npm and apt are set to" {
  run -0 --separate-stderr drydock allow @npm
  assert_equal "$output" @npm
  assert_contains "$stderr" "@npm: neither ~/.npmrc nor /etc/npmrc names a registry"
  run -1 drydock deny npm.example
  printf '%s\n' '//npm.example/:_authToken=secret' \
    'registry=https://npm.example:8443/' >"$HOME/.npmrc"
  chmod 0600 "$HOME/.npmrc"
  run -1 --separate-stderr drydock deny npm.example:8443
  assert_contains "$stderr" "npm.example:8443 stays open"
  # Its address may be private; then it is another line.
  run -0 --separate-stderr drydock allow --private @npm
  assert_equal "$output" "@npm private"
  assert_contains "$stderr" "@npm opens npm.example:8443, which ~/.npmrc names"
  refute_contains "$output$stderr$(<"$list")" secret
  run -0 --separate-stderr drydock allow @npm
  assert_contains "$stderr" "@npm is already open"
  run -64 --separate-stderr drydock allow --private @pypi
  assert_contains "$stderr" "\"private\" cannot apply to \"@pypi\""
  run -0 drydock deny @npm
  assert_equal "$(<"$list")" ""
  # Whoever could write the file could open a host.
  chmod 0666 "$HOME/.npmrc"
  run -64 --separate-stderr drydock allow @npm
  assert_contains "$stderr" "$HOME/.npmrc"
  if grep -qrh '^deb http' /etc/apt/sources.list /etc/apt/sources.list.d; then
    run -0 --separate-stderr drydock allow @debian
    assert_contains "$stderr" ", which /etc/apt/sources.list"
  fi
}

@test "allow --global opens for all projects, and deny says what stays open" {
  run -0 drydock allow --global a.example
  assert_equal "$(<"$global")" a.example
  [ ! -e "$list" ]
  printf 'b.example\n a.example  private # both\nb.example:80\n' >"$list"
  run -1 --separate-stderr drydock deny a.example
  assert_equal "$stderr" "drydock: a.example stays open: \"a.example\" comes from the\
 allowlist of all projects (drydock deny --global)"
  assert_equal "$(<"$list")" $'b.example\nb.example:80'
  run -0 --separate-stderr drydock deny b.example
  assert_equal "$output$stderr" ""
  assert_equal "$(<"$list")" b.example:80
  run -0 --separate-stderr drydock deny --global A.EXAMPLE
  assert_equal "$(<"$global")" ""
  run -1 --separate-stderr drydock deny a.example
  assert_equal "$stderr" "drydock: $list has no line for a.example"
  printf '*.c.example\n' >"$list"
  run -1 --separate-stderr drydock deny x.c.example
  assert_contains "$stderr" "x.c.example stays open: \"*.c.example\" comes from the\
 project's allowlist"
}

@test "the agent's own hosts are open by a setting" {
  local host
  host=$(jq -r '.hosts[0]' "$(<"$BED/prefix")/share/drydock/agents/claude.json")
  run -1 --separate-stderr drydock deny "$host"
  assert_contains "$stderr" "$host stays open: \"$host\" comes from the agent (setting\
 agent_hosts)"
  drydock config set agent_hosts no --project "$project"
  run -1 --separate-stderr drydock deny "$host"
  assert_equal "$stderr" "drydock: $list has no line for $host"
}

@test "what is no line is refused, and changes nothing" {
  local host
  printf 'a.example\n' >"$list"
  for host in '' 'b.example private' $'b.example\nc.example' 'b.example#x' \
    '*' '*.com' 10.1 https://b.example b.example/x user@b.example @nosuch \
    '$(id)' 'b_c.example' '::1'; do
    run -64 --separate-stderr drydock allow c.example "$host"
    assert_contains "$stderr" "drydock: "
  done
  assert_equal "$(<"$list")" a.example
  run -64 drydock deny
  run -64 drydock allow --global --project a.example
  # A list that is wrong stays as it is.
  printf 'a.example\n*.com\n' >"$list"
  run -78 --separate-stderr drydock allow b.example
  assert_contains "$stderr" "$list:2: \"*.com\" is a whole top-level domain"
  assert_equal "$(<"$list")" $'a.example\n*.com'
}

@test "a list keeps its line ends, and a link that leads nowhere stays" {
  printf '# mine\r\na.example\r\nlast.example' >"$list"
  run -0 drydock allow b.example
  assert_equal "$(od -c <"$list")" \
    "$(printf '# mine\r\na.example\r\nlast.example\r\nb.example\r\n' | od -c)"
  run -0 drydock deny a.example
  assert_equal "$(od -c <"$list")" \
    "$(printf '# mine\r\nlast.example\r\nb.example\r\n' | od -c)"
  ln -sf "$BATS_TEST_TMPDIR/nowhere" "$list"
  run -78 drydock allow c.example
  assert_equal "$(readlink "$list")" "$BATS_TEST_TMPDIR/nowhere"
  [ ! -e "$BATS_TEST_TMPDIR/nowhere" ]
}
