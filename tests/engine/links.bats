# SPDX-License-Identifier: MIT
# Short paths to the sockets of sessions and of the engine.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
  short=/tmp/drydock-$BED_UID
  sessions=$XDG_STATE_HOME/drydock/sessions
}

teardown() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

inode() {
  as_who stat -L -c %d:%i "$1"
}

# Both directories lead to the session's own.
links_are_right() {
  local dir
  for dir in "$short" "$XDG_RUNTIME_DIR/drydock"; do
    assert_equal "$(inode "$dir/$id")" "$(inode "$sessions/$id/run")" || return
    assert_equal "$(inode "$dir/$id.services")" \
      "$(inode "$sessions/$id/services")" || return
  done
}

# What a cleaner of /tmp does, and what somebody does by hand.
break_links() {
  rm -f "$short/$id" "$XDG_RUNTIME_DIR/drydock/$id.services"
  ln -sfn /etc "$short/$id.services"
  rm -rf "$XDG_RUNTIME_DIR/drydock"
}

connects() {
  as_who python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"hello")' "$1"
}

@test "no session can change the links" {
  local dir
  as_who mkdir -p "$short"
  for dir in "$short" "$XDG_RUNTIME_DIR/drydock" "$XDG_RUNTIME_DIR"; do
    as_who mkdir -p "$dir"
    run --separate-stderr as_who drydock shell "$dir" -- true </dev/null
    assert_equal "$status" 77
    assert_contains "$stderr" "source-drydock"
  done
}

@test "each command heals the links, right ones cost three calls, the end removes them" {
  local trace=$BATS_TEST_TMPDIR/trace
  open_counter
  links_are_right
  as_who drydock list >/dev/null
  : >"$trace"
  chmod 0666 "$trace"
  as_who env -u XDG_RUNTIME_DIR strace -qq -f -e trace=%file -o "$trace" \
    drydock attach "$id" </dev/null || true
  assert_equal "$(grep -c -F "$short" "$trace")" 2
  assert_equal "$(grep -c -F '"services"' "$trace")" 1
  break_links
  as_who drydock list
  links_are_right
  break_links
  as_who drydock exec "$id" -- true
  links_are_right
  break_links
  as_who drydock gc
  links_are_right
  break_links
  on_terminal 'expect:agent first' $'send:\034' -- drydock attach "$id"
  links_are_right
  # A launch heals those of others, too.
  break_links
  as_who drydock shell "$project" -- true </dev/null
  links_are_right
  run ! grep -F "$short" "$sessions/$id/session.json" "$sessions/$id/plan.json"
  as_who drydock stop "$id"
  [ ! -L "$short/$id" ]
  [ ! -L "$short/$id.services" ]
  run -0 find "$XDG_RUNTIME_DIR/drydock" -mindepth 1
  assert_equal "$output" ""
}

# Another user's directory in the place of ours is refused, and nothing else is.
foreign_directory() {
  mkdir -m 0777 "$BATS_TEST_TMPDIR/foreign"
  ln -s "$sessions/$id/run" "$BATS_TEST_TMPDIR/foreign/$id"
  export -f as_who as_user
  export who id short
  # shellcheck disable=SC2016 # for the other shell
  run -0 --separate-stderr unshare --mount --propagation private bash -c '
    mount --bind "$1" "$short" && as_who drydock exec "$id" -- echo there' \
    - "$BATS_TEST_TMPDIR/foreign"
  assert_equal "$output" there
  assert_contains "$stderr" "$short belongs to another user (uid 0)"
  assert_equal "$(ls "$BATS_TEST_TMPDIR/foreign")" "$id"
  # One that is too open is closed.
  chmod 0777 "$short"
  run -0 --separate-stderr as_who drydock list
  assert_equal "$stderr" ""
  assert_equal "$(stat -c %a "$short")" 700
}

@test "a restart makes them, and a session starts without them" {
  open_counter
  # That needs a mount namespace.
  [ "$(id -u)" != 0 ] || foreign_directory
  docker kill "$(docker ps -q --filter "label=io.drydock.session=$id" \
    --filter label=io.drydock.role=agent)" >/dev/null
  wait_for "a stopped session" test_state stopped
  break_links
  on_terminal 'expect:agent resumed' $'send:\034' -- drydock attach "$id"
  links_are_right
  # A file in the way is told and stays, and nothing depends on the link.
  rm "$short/$id" "$XDG_RUNTIME_DIR/drydock/$id"
  as_who sh -c "echo mine >$short/$id"
  run -0 --separate-stderr as_who drydock exec "$id" -- echo there
  assert_equal "$output" there
  assert_contains "$stderr" "$short/$id is not a symlink: move it away"
  as_who drydock stop "$id"
  assert_equal "$(cat "$short/$id")" mine
  rm "$short/$id"
}

@test "a service's socket has a short path, however long the state directory's" {
  local deep name
  deep=$XDG_STATE_HOME/$(printf 'd%.0s' {1..100})/$(printf 'e%.0s' {1..100})
  as_who mkdir -p "$deep"
  XDG_STATE_HOME=$deep
  sessions=$deep/drydock/sessions
  images_record "$BED_UID" "$deep"
  images_for_agent counter
  open_counter
  run -0 as_who drydock list --json
  assert_equal "$(jq -r '.[0].service_sockets' <<<"$output")" \
    "$short/$id.services"
  connects "$(jq -r '.[0].socket' <<<"$output")"
  for name in .s.PGSQL.5432 mysqld.sock; do
    as_who python3 -c 'import os, socket, sys
os.chdir(sys.argv[1])
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[2])
s.listen()
print("up", flush=True)
c = s.accept()[0]
assert c.recv(5) == b"hello"' "$sessions/$id/services" "$name" \
      >"$BATS_TEST_TMPDIR/up" 3>&- &
    wait_for "a server" grep -x up "$BATS_TEST_TMPDIR/up"
    connects "$short/$id.services/$name"
    wait $!
    rm "$BATS_TEST_TMPDIR/up"
  done
}

@test "an engine's socket with a long path is reached by a short one" {
  local deep=$BATS_TEST_TMPDIR socket link
  while [ "${#deep}" -lt 150 ]; do
    deep+=/$(printf 'd%.0s' {1..40})
  done
  mkdir -p "$deep"
  chmod -R 0711 "$BATS_TEST_TMPDIR/${deep#"$BATS_TEST_TMPDIR/"}"
  socket=$deep/docker.sock
  (cd "$deep" && exec python3 - "$DRYDOCK_ENGINE" <<'END'
import os, socket, sys, threading
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass
s = socket.socket(socket.AF_UNIX)
s.bind("docker.sock")
os.chmod("docker.sock", 0o666)
s.listen(100)
if os.fork() != 0:
    os._exit(0)
print(os.getpid(), file=open("pid", "w"), flush=True)
while True:
    c = s.accept()[0]
    e = socket.socket(socket.AF_UNIX)
    e.connect(sys.argv[1])
    for pair in ((c, e), (e, c)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
END
  ) >/dev/null 3>&-
  wait_for "a server" test -s "$deep/pid"
  export DRYDOCK_ENGINE=$socket
  run -0 --separate-stderr as_who drydock shell "$project" -- echo there \
    </dev/null
  assert_equal "$output" there
  # The session gets the socket itself.
  run -0 --separate-stderr as_who drydock shell --mode=dood "$project" -- \
    sh -c 'grep docker.sock /proc/self/mountinfo' </dev/null
  assert_contains "$output" "${deep##*/}/docker.sock /run/docker.sock"
  link=$(find "$short" -name 'engine-*' -lname "$socket")
  [ -n "$link" ]
  # Whoever can write to the link's directory would be the engine.
  run -77 --separate-stderr as_who drydock plan --mode=dood "$short"
  assert_contains "$stderr$output" source-drydock
  kill "$(cat "$deep/pid")"
  rm "$socket"
  DRYDOCK_ENGINE=$(cat "$BED/socket") as_who drydock gc
  [ ! -L "$link" ]
}
