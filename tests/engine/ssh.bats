# SPDX-License-Identifier: MIT
# ssh leaves a contained session through the proxy, to hosts that are allowed.

load ../helper

# A forge is a server in a container that says what an ssh server says first,
# and tells in its log what it got.
setup_file() {
  FORGE=$(docker run -d --rm --user 0 --entrypoint python3 "$(agent_image 0)" \
    -u -c '
import socket
listener = socket.create_server(("", 22))
print("listens")
while True:
    s, _ = listener.accept()
    s.sendall(b"SSH-2.0-forge\r\n")
    print(s.makefile("rb").readline().decode().strip())
    s.close()')
  export FORGE
  ip=$(container_ip "$FORGE")
  printf '%s\n' "forge.drydock.test $ip" "other.drydock.test $ip" \
    >"$BED/dns/zone"
  wait_for "the forge" logged listens
}

# logged TEXT: the forge said so.  The engine has a line a little later.
logged() {
  docker logs "$FORGE" 2>&1 | grep -F -- "$1"
}

teardown_file() {
  docker rm -f "$FORGE" >/dev/null || true
  : >"$BED/dns/zone"
}

setup() {
  bed_setup user
  echo 'forge.drydock.test:22 private' >"$XDG_CONFIG_HOME/drydock/allowlist"
  chown "$BED_UID:$BED_UID" "$XDG_CONFIG_HOME/drydock/allowlist"
}

@test "git over ssh reaches an allowed host, and no other, by keys that are known" {
  # shellcheck disable=SC2016 # the session's shell
  run -0 --separate-stderr in_session sh -c '
    ! git ls-remote git@forge.drydock.test:a || exit 9
    ! git ls-remote git@other.drydock.test:a || exit 9
    # Only root could change the keys.
    for host in github.com gitlab.com bitbucket.org codeberg.org git.sr.ht; do
      ssh-keygen -F $host -f /etc/ssh/ssh_known_hosts || exit
      ssh -G $host | grep -x "proxycommand .*/holder connect -- %h %p" ||
        exit
    done >/dev/null
    ssh -G localhost | grep -c "^proxycommand .*holder"
    [ ! -w /etc/ssh/ssh_known_hosts ] &&
      [ ! -w /etc/ssh/ssh_config.d/drydock.conf ]'
  assert_equal "$output" 0
  # The two have talked: the forge only knows its first line.
  refute_contains "$stderr" "the proxy refused forge.drydock.test"
  wait_for "the client's first line" logged SSH-2.0-OpenSSH
  assert_contains "$stderr" "the proxy refused other.drydock.test:22: 403"
  assert_equal "$(logged SSH- | wc -l)" 1
}
