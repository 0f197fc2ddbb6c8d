# SPDX-License-Identifier: MIT
# allow, deny and egress for sessions that exist, without an engine: what is
# written into a session, and what its log says.

load ../helper

setup() {
  bed_setup self
  cd "$project" || return
  id=abcd1234
  make_session "$id" "$project"
}

# make_session ID PROJECT [JSON]: the directory of a contained session, with
# more keys of its record.
make_session() {
  local dir=$XDG_STATE_HOME/drydock/sessions/$1
  (umask 077 && mkdir -p "$dir"/{home,run,egress} "$dir"/sidecar/{conf,log})
  : >"$dir/lease"
  printf '%032d\n' 1 >"$XDG_STATE_HOME/drydock/id"
  echo "$project" >"$XDG_STATE_HOME/drydock/projects"
  chmod 0600 "$XDG_STATE_HOME/drydock"/{id,projects}
  jq -n --arg id "$1" --arg project "$2" --argjson more "${3-{\}}" '{
    version: 2, id: $id, project: $project, agent: "claude",
    mode: "contained", mode_reason: "default", kind: "shell", engine_id: "e",
    engine_data_root: "/d", engine_socket: "/s",
    created_at: "2026-01-01T00:00:00Z", containers: []} + $more' \
    >"$dir/session.json"
}

# log_lines LINE...: the proxy's log.
log_lines() {
  printf '%s\n' "$@" >"$XDG_STATE_HOME/drydock/sessions/$id/sidecar/log/requests.log"
}

conf_of() {
  echo "$XDG_STATE_HOME/drydock/sessions/$1/sidecar/conf/$2"
}

@test "a change keeps what an option or the environment said at the launch" {
  local host
  host=$(jq -r '.hosts[0]' "$(<"$BED/prefix")/share/drydock/agents/claude.json")
  make_session other123 "$project" '{"agent_hosts": "no", "toolchains": "rust"}'
  run -0 --separate-stderr drydock allow a.example
  assert_equal "$stderr" ""
  hosts_of() {
    awk '$1 == "connect" && $2 == "name" { print $3 }' "$(conf_of "$1" hosts)"
  }
  run -0 hosts_of "$id"
  assert_contains "$output" "$host"
  assert_contains "$output" a.example
  refute_contains "$output" crates.io
  run -0 hosts_of other123
  refute_contains "$output" "$host"
  assert_contains "$output" a.example
  assert_contains "$output" crates.io
}

@test "a list that a session could have written reaches no session" {
  mkdir "$project/dots"
  echo evil.example >"$project/dots/allowlist"
  ln -s "$project/dots/allowlist" "$XDG_CONFIG_HOME/drydock/allowlist"
  run -77 --separate-stderr drydock allow --global a.example
  assert_contains "$stderr" "$project/dots/allowlist"
  assert_equal "$(<"$project/dots/allowlist")" evil.example
  run -77 drydock allow a.example
  [ ! -e "$(conf_of "$id" hosts)" ]
  rm "$XDG_CONFIG_HOME/drydock/allowlist"
  : >"$project/dots/drydock.conf"
  ln -s "$project/dots/drydock.conf" "$XDG_CONFIG_HOME/drydock/drydock.conf"
  run -77 drydock config set memory 4g
  assert_equal "$(<"$project/dots/drydock.conf")" ""
}

@test "a session whose project is gone keeps its list" {
  make_session other123 "$BATS_TEST_TMPDIR/gone"
  run -1 --separate-stderr drydock allow --global a.example
  assert_contains "$stderr" "session other123 keeps its list of hosts: "
  [ ! -e "$(conf_of other123 hosts)" ]
  run -0 grep -cFx 'connect name a.example 443 public' "$(conf_of "$id" hosts)"
}

@test "a session whose proxy an older drydock started keeps its list, which is said" {
  : >"$(conf_of "$id" squid.conf)"
  run -1 --separate-stderr drydock allow a.example
  assert_contains "$stderr" "session $id keeps its list of hosts: an older drydock\
 started it, and its proxy cannot read a new list"
  [ ! -e "$(conf_of "$id" hosts)" ]
}

@test "a session of another project is not waited for" {
  mkdir elsewhere
  make_session other123 "$project/elsewhere"
  exec {lease}<"$XDG_STATE_HOME/drydock/sessions/other123/lease"
  flock "$lease"
  run -0 --separate-stderr timeout 9 drydock allow a.example
  assert_equal "$stderr" ""
}

@test "a change of the list permits no proxy in a later boot" {
  echo earlier >"$(conf_of "$id" boot-id)"
  run -0 drydock allow a.example
  assert_equal "$(<"$(conf_of "$id" boot-id)")" earlier
}

@test "deny names each host that has no line" {
  run -0 drydock allow a.example
  run -1 --separate-stderr drydock deny a.example nosuch.example
  assert_contains "$stderr" "has no line for nosuch.example"
  refute_contains "$stderr" "for a.example"
}

@test "the command that is shown opens the host, for the session's project" {
  log_lines '1767225600 403 CONNECT a.example:443 NONE_NONE_DENIED ERR_DRYDOCK_REFUSED' \
    '1767225600 403 CONNECT [2606:4700::1]:443 NONE_NONE_DENIED ERR_DRYDOCK_REFUSED' \
    '1767225600 403 CONNECT b.example:443 NONE_NONE_DENIED ERR_DRYDOCK_ADDRESS' \
    '1767225600 403 CONNECT c.example:443 NONE_NONE_DENIED ERR_DRYDOCK_REFUSED'
  printf '%s\n' b.example c.example >"$XDG_CONFIG_HOME/drydock/allowlist"
  run -0 --separate-stderr drydock egress --json "$id"
  assert_equal "$(jq -r '.[].allow' <<<"$output")" "drydock allow a.example
drydock allow '[2606:4700::1]'
drydock allow --private b.example
null"
  mkdir "$BATS_TEST_TMPDIR/else where"
  cd "$BATS_TEST_TMPDIR/else where"
  run -0 --separate-stderr drydock egress "$id"
  assert_contains "$output" "(drydock allow --project=$project a.example)"
  # What the line opens is nothing that is open already.
  refute_contains "$output" "$project c.example"
}

@test "names of the log are hostile" {
  local long
  long=$(printf '%0300d' 0 | tr 0 a)
  log_lines $'1767225600 403 CONNECT \e[2Ja.example:443 NONE_NONE_DENIED' \
    $'1767225600 403 CONNECT \u202eelpmaxe.a:443 NONE_NONE_DENIED' \
    "1767225600 403 CONNECT $long.example:443 NONE_NONE_DENIED" \
    $'1767225600 403 CONNECT \xff\xfe.example:443 NONE_NONE_DENIED' \
    '1767225600 403 CONNECT $(id).example:443 NONE_NONE_DENIED'
  run -0 --separate-stderr drydock egress "$id"
  [ "${#lines[@]}" = 5 ]
  refute_contains "$output" "drydock allow"
  refute_contains "$output" $'\e'
  refute_contains "$output" $'\u202e'
  run -0 --separate-stderr drydock egress --json "$id"
  assert_equal "$(jq -c 'map(.allow) | unique' <<<"$output")" '[null]'
  log_lines
  run -0 --separate-stderr drydock egress --json "$id"
  assert_equal "$(jq -c . <<<"$output")" '[]'
}

@test "egress --follow ends with the session, and with its reader" {
  log_lines '1767225600 403 CONNECT a.example:443 NONE_NONE_DENIED' \
    '1767225600 000 NONE error:transaction-end-before-headers NONE_NONE -'
  # A session that is being launched is waited for.
  run -124 timeout 1 drydock egress --follow "$id"
  # The reader leaves while nothing is logged.
  run -0 timeout 60 bash -c 'drydock egress --follow "$1" | head -n 1' - "$id"
  assert_contains "$output" a.example
  # This one was launched, and neither its holder nor its proxy listens.
  make_session "$id" "$project" '{"launched_at": "2026-01-01T00:00:00Z"}'
  run -0 --separate-stderr timeout 60 drydock egress --follow "$id"
  [ "${#lines[@]}" = 1 ]
  assert_contains "$output" a.example
  assert_equal "$stderr" "drydock: session $id does not run"
}
