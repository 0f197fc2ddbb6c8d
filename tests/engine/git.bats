# SPDX-License-Identifier: MIT
# git pushes from a contained session: over ssh by a key that stays outside, and
# over https.  The forges are real servers in containers.

load ../helper

setup() {
  bed_setup user
  srv=$BATS_TEST_TMPDIR/srv
  mkdir "$srv"
}

teardown() {
  [ -z "${forge-}" ] || docker rm -f "$forge" >/dev/null || true
  [ -z "${agent_pid-}" ] || kill "$agent_pid"
  as_who drydock stop --all --force >/dev/null 2>&1 || true
  : >"$BED/dns/zone"
}

# start_forge SCRIPT: runs as root in a container that has $srv at /srv, and the
# programs of this machine: no image of drydock's has a server.
start_forge() {
  forge=$(docker run -d --user 0 --volume "$srv:/srv" --volume /usr:/usr:ro \
    --entrypoint sh "$(agent_image 0)" -euc "$1")
  echo "forge.drydock.test $(container_ip "$forge")" >"$BED/dns/zone"
}

# A script for a session: one commit, pushed to $1.
push='git init -q -b main . && git config user.name A &&
  git config user.email a@example.test &&
  git commit -q --allow-empty -m "from inside" && git push -q "$1" main'

@test "git pushes over ssh by a key that stays outside" {
  local keys=$BATS_TEST_TMPDIR/keys listed id url
  url=ssh://git@forge.drydock.test/home/git/pushed.git
  install -d -o "$BED_UID" "$keys"
  ssh-keygen -q -t ed25519 -N '' -C listed -f "$keys/listed"
  ssh-keygen -q -t ed25519 -N '' -C other -f "$keys/other"
  agent_pid=$(as_who ssh-agent -a "$keys/agent" 3>&- |
    sed -n 's/.*SSH_AGENT_PID=\([0-9]*\);.*/\1/p')
  export SSH_AUTH_SOCK=$keys/agent
  ssh-add -q "$keys/other" "$keys/listed"
  listed=$(ssh-keygen -lf "$keys/listed.pub" | cut -d ' ' -f 2)

  cp "$keys/listed.pub" "$srv/authorized_keys"
  start_forge 'useradd -m -p "*" -s /bin/bash git
    install -d -o git -m 0700 /home/git/.ssh
    install -o git -m 0600 /srv/authorized_keys /home/git/.ssh
    setpriv --reuid git git init -q --bare -b main /home/git/pushed.git
    dropbearkey -t ed25519 -f /root/host | grep ^ssh >/srv/host.pub
    exec dropbear -F -E -s -r /root/host'
  wait_for "the server" eval "docker logs '$forge' 2>&1 | grep 'Not background'"
  printf 'forge.drydock.test %s\n' "$(cut -d ' ' -f 1,2 "$srv/host.pub")" \
    >"$project/known"
  chmod 0644 "$project/known"
  printf '%s\n' 'ssh_agent = yes' "ssh_keys = $listed" |
    as_who tee "$XDG_CONFIG_HOME/drydock/drydock.conf" >/dev/null
  chmod 0600 "$XDG_CONFIG_HOME/drydock/drydock.conf"

  # One session for all of it.
  open_session sh -c 'echo ready; cat'
  id=$(as_who drydock list --all --json | jq -r '.[0].id')
  pushes() {
    as_who drydock exec "$id" -- env "${@:2}" sh -euc "$push" sh "$1"
  }
  cd "$project"

  # Not allowed: refused at once, by name.
  run ! --separate-stderr pushes "$url"
  assert_contains "$stderr" "the proxy refused forge.drydock.test:22: 403"
  run -0 as_who drydock egress "$id"
  assert_contains "$output" "drydock allow forge.drydock.test:22"
  as_user rm -rf "$project/.git"

  # Allowed: a server that is not known is no forge of the user's.
  run -0 as_who drydock allow --private forge.drydock.test:22
  is_unknown() {
    as_user rm -rf "$project/.git"
    run ! --separate-stderr pushes "$url"
    [[ $stderr == *"Host key verification failed"* ]]
  }
  wait_for "a server that is not known" is_unknown
  as_user rm -rf "$project/.git"

  pushes "$url" GIT_SSH_COMMAND="ssh -o UserKnownHostsFile=$project/known"
  assert_equal "$(docker exec -u git "$forge" \
    git -C /home/git/pushed.git log --format=%s main)" "from inside"
  run ! as_who drydock exec "$id" -- grep -rl 'OPENSSH PRIVATE' "$HOME" /run /tmp
  run -0 as_who drydock egress "$id"
  assert_contains "$output" "$listed (login git)"
  refute_contains "$output" "$(ssh-keygen -lf "$keys/other.pub" |
    cut -d ' ' -f 2)"
  close_session
  assert_contains "$(cat "$BATS_TEST_TMPDIR/session.err")" \
    "your ssh agent signed for the session: $listed (login)"
}

@test "git pushes over https" {
  server_files "$srv"
  cp "$srv/cert" "$project/cert"
  chmod 0644 "$project/cert"
  start_forge 'git init -q --bare -b main /tmp/pushed.git
    exec python3 /srv/githttp.py /srv/cert /srv/key 443 /tmp'
  wait_for "the server" curl -sk \
    "https://$(cut -d ' ' -f 2 "$BED/dns/zone")/pushed.git/HEAD"

  open_session sh -c 'echo ready; cat'
  id=$(as_who drydock list --all --json | jq -r '.[0].id')
  pushes() {
    as_who drydock exec "$id" -- env GIT_SSL_CAINFO="$project/cert" \
      sh -euc "$push" sh https://a:b@forge.drydock.test/pushed.git
  }
  cd "$project"
  run ! --separate-stderr pushes
  assert_contains "$stderr" "CONNECT tunnel failed, response 403"
  run -0 as_who drydock egress "$id"
  assert_contains "$output" "drydock allow forge.drydock.test"
  run -0 as_who drydock allow --private forge.drydock.test
  does_push() {
    as_user rm -rf "$project/.git"
    pushes
  }
  wait_for "an allowed host" does_push
  assert_equal "$(docker exec "$forge" \
    git -C /tmp/pushed.git log --format=%s main)" "from inside"
  close_session
}
