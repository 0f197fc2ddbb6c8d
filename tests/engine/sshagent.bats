# SPDX-License-Identifier: MIT
# A session signs with the keys that the user chose, by the user's own agent,
# and does nothing else with it.

load ../helper

setup() {
  bed_setup user
  keys=$BATS_TEST_TMPDIR/keys
  install -d -o "$BED_UID" "$keys"
  ssh-keygen -q -t ed25519 -N '' -C listed -f "$keys/listed"
  ssh-keygen -q -t ed25519 -N '' -C other -f "$keys/other"
  start_agent "$keys/agent"
  export SSH_AUTH_SOCK=$keys/agent
  ssh-add -q "$keys/listed" "$keys/other"
  listed=$(fingerprint listed)
  before=$(ssh-add -l)
  printf '%s\n' 'ssh_agent = yes' "ssh_keys = $listed" |
    as_who tee "$XDG_CONFIG_HOME/drydock/drydock.conf" >/dev/null
  chmod 0600 "$XDG_CONFIG_HOME/drydock/drydock.conf"
  cp "$BATS_TEST_DIRNAME/servers/sshclient.py" "$project"
  cp "$keys"/*.pub "$project"
  chmod 0755 "$project/sshclient.py" "$project"/*.pub
}

teardown() {
  exec {session_in}>&- || true
  as_who drydock stop --all --force >/dev/null 2>&1 || true
  kill "$agent_pid"
}

# start_agent SOCKET: the user's own; $agent_pid.
start_agent() {
  agent_pid=$(as_who ssh-agent -a "$1" 3>&- |
    sed -n 's/.*SSH_AGENT_PID=\([0-9]*\);.*/\1/p')
}

# fingerprint NAME, base64 NAME: of a public key.
fingerprint() {
  ssh-keygen -lf "$keys/$1.pub" | cut -d ' ' -f 2
}

base64_of() {
  cut -d ' ' -f 2 "$keys/$1.pub"
}

# open_idle: a session that waits; $id, $log.
open_idle() {
  open_session sh -c 'while [ ! -S "$SSH_AUTH_SOCK" ]; do sleep 0.05; done
    echo ready; cat'
  id=$(as_who drydock list --all --json | jq -r '.[0].id')
  log=$XDG_STATE_HOME/drydock/sessions/$id/ssh-agent.log
}

inside() {
  as_who drydock exec "$id" -- "$@"
}

@test "keys that are listed can be seen and sign, and each signature is logged" {
  open_idle
  assert_equal "$(inside python3 sshclient.py keys)" "$listed"
  assert_equal "$(inside ssh-add -l | cut -d ' ' -f 2)" "$listed"
  [ ! -s "$log" ]
  # As git signs a commit, and as ssh logs in.
  inside sh -c 'echo text >file && ssh-keygen -q -Y sign -n git \
    -f listed.pub file'
  (cd "$project" && ssh-keygen -q -Y check-novalidate -n git -s file.sig <file)
  assert_equal "$(jq -c '[.event, .key, .for, .detail]' "$log")" \
    "[\"signed\",\"$listed\",\"file\",\"git\"]"
  inside python3 sshclient.py sign "$(base64_of listed)"
  inside python3 sshclient.py sign "$(base64_of other)"
  # The user sees them, during the session and after its end.
  run -0 --separate-stderr as_who drydock egress "$id"
  assert_equal "$(cut -d ' ' -f 3- <<<"$output")" \
    "signed       1  $listed (file git)
signed       1  $listed (other)
refused      1  $(fingerprint other)"
  assert_equal "$(as_who drydock egress --json "$id" |
    jq -c '[.[] | [.key, .outcome, .count, .for, .detail]]')" \
    "[[\"$listed\",\"signed\",1,\"file\",\"git\"],[\"$listed\",\"signed\",1,\"other\",\"\"],[\"$(fingerprint other)\",\"refused\",1,\"\",\"\"]]"
  as_who drydock egress --follow "$id" >"$BATS_TEST_TMPDIR/followed" 3>&- &
  wait_for "signatures" grep -c '(other)' "$BATS_TEST_TMPDIR/followed"
  inside python3 sshclient.py sign "$(base64_of listed)"
  wait_for "one more" eval "[ \$(grep -c '(other)' '$BATS_TEST_TMPDIR/followed') = 2 ]"
  # The private key is not there.
  run ! inside grep -rl 'OPENSSH PRIVATE' "$HOME" /run /tmp
  close_session
  assert_contains "$(cat "$BATS_TEST_TMPDIR/session.err")" "your ssh agent \
signed for the session: $listed (file), $listed (other) 2 times"
  assert_equal "$(as_who drydock list --all --json |
    jq -c '[.[].signatures[]? | [.key, .for, .count]]')" \
    "[[\"$listed\",\"file\",1],[\"$listed\",\"other\",2]]"
}

@test "git signs commits as it does on the host, also after a new log-in" {
  local git=$BED/user/.gitconfig first=$agent_pid
  # Before the session: an agent would keep its standard input open.
  start_agent "$keys/second"
  printf '%s\n' '[user]' 'name = A' 'email = a@example.test' \
    "signingKey = $keys/listed" '[gpg]' 'format = ssh' \
    '[commit]' 'gpgSign = true' | as_who tee "$git" >/dev/null
  open_idle
  rm "$git"
  inside sh -c 'git init -q . && git commit -q --allow-empty -m signed'
  echo "a@example.test $(cat "$keys/listed.pub")" >"$BATS_TEST_TMPDIR/allowed"
  git -c safe.directory='*' -c gpg.format=ssh \
    -c gpg.ssh.allowedSignersFile="$BATS_TEST_TMPDIR/allowed" \
    -C "$project" verify-commit HEAD
  assert_equal "$(jq -r .detail "$log")" git

  # Another agent is used then.
  kill "$first"
  wait_for "end of the first" test ! -e "$keys/agent"
  assert_equal "$(inside python3 sshclient.py sign "$(base64_of listed)")" 5
  SSH_AUTH_SOCK=$keys/second ssh-add -q "$keys/listed"
  export SSH_AUTH_SOCK=$keys/second
  assert_equal "$(inside python3 sshclient.py sign "$(base64_of listed)")" 14
  # A shell that knows only an agent of the past, as in tmux, changes nothing.
  export SSH_AUTH_SOCK=$keys/agent
  assert_equal "$(inside python3 sshclient.py sign "$(base64_of listed)")" 14
  close_session
}

@test "no other key, no other request, no flood and no full log gets past the filter" {
  open_idle
  assert_equal "$(inside python3 sshclient.py sign "$(base64_of other)")" 5
  inside python3 sshclient.py refused
  inside python3 sshclient.py cut "$(base64_of listed)"
  inside python3 sshclient.py huge
  assert_equal "$(inside python3 sshclient.py thousand "$(base64_of other)")" 5
  run ! inside ssh-keygen -q -Y sign -n git -f other.pub file
  run ! inside ssh-add -D
  run ! inside sh -c 'echo pw | ssh-add -x'
  run ! inside sh -c 'ssh-keygen -q -t ed25519 -N "" -f /tmp/new &&
    ssh-add /tmp/new'
  # Nothing was signed, and the user's agent has what it had.
  run ! grep -q '"signed"' "$log"
  grep -q "$(fingerprint other)" "$log"
  assert_equal "$(ssh-add -l)" "$before"
  # The listed key still signs.
  assert_equal "$(inside python3 sshclient.py sign "$(base64_of listed)")" 14
  [ "$(awk '/^RssAnon/ { print $2 }' "/proc/$(companions "$id")/status")" \
    -lt 8192 ]
  # Without a log there is no signature: no file of the companion grows over
  # 4 MiB.
  as_who truncate -s 4M "$log"
  assert_equal "$(inside python3 sshclient.py sign "$(base64_of listed)")" 5
  as_who truncate -s 0 "$log"
  assert_equal "$(inside python3 sshclient.py sign "$(base64_of listed)")" 14
  close_session
}

# One without the setting is in exposure.bats.
@test "a session without a key has no agent" {
  local text
  echo 'ssh_agent = yes' |
    as_who tee "$XDG_CONFIG_HOME/drydock/drydock.conf" >/dev/null
  run -0 --separate-stderr in_session sh -c 'echo "[$SSH_AUTH_SOCK]"'
  assert_equal "$output" "[]"
  text='the session has no ssh agent: ssh_keys names no key'
  assert_contains "$stderr" "$text"
}
