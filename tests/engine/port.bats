# SPDX-License-Identifier: MIT
# A server of a session, reachable at 127.0.0.1 of the host and nowhere else.

load ../helper
load counter

# One session for all, in which a server listens at port 3000.
setup() {
  bed_guard && shared_counter
}

teardown() {
  shared_leave
}

teardown_file() {
  shared_teardown
}

# open_port: the server is reachable at $port of the host.
open_port() {
  if [ ! -e "$project/peer.py" ]; then
    cp "$BATS_TEST_DIRNAME/servers/peer.py" "$project"
    chmod 0755 "$project/peer.py"
    as_who drydock exec "$id" -- python3 peer.py serve 3000 \
      >"$project/server" 2>&1 3>&- &
    wait_for "a server" grep -x ready "$project/server"
  fi
  run -0 --separate-stderr as_who drydock port "$id" 3000:0
  assert_equal "${output%:*}" 127.0.0.1
  port=${output#*:}
}

# close_ports PORT...: as they were before.
close_ports() {
  local number
  for number; do
    as_who drydock port "$id" --remove "$number"
  done
}

peer() {
  timeout 60 python3 "$BATS_TEST_DIRNAME/servers/peer.py" "$@"
}

listens() {
  [ -n "$(ss -Hltn "sport = :$1")" ]
}

refute_listens() {
  ! listens "$1"
}

listed() {
  as_who drydock port "$id" --json | jq -c '[.[] | [.port, .host_port, .served]]'
}

@test "a port is reachable at 127.0.0.1 alone, is listed, and is taken back" {
  open_port
  peer many "$port" 3
  assert_equal "$(ss -Hltn "sport = :$port" | awk '{ print $4 }')" \
    "127.0.0.1:$port"
  # The container has loopback alone, as before.
  assert_equal "$(as_who drydock exec "$id" -- sh -c 'ls /sys/class/net')" lo
  assert_equal "$(as_who drydock port "$id")" "3000 at 127.0.0.1:$port"
  assert_equal "$(listed)" "[[3000,$port,true]]"
  assert_equal "$(as_who drydock list --all --json | jq -c '.[0].ports')" \
    "[{\"port\":3000,\"host_address\":\"127.0.0.1\",\"host_port\":$port,\"served\":true}]"
  assert_contains "$(as_who drydock list --all)" \
    "port 3000 at 127.0.0.1:$port"
  # The same again is the same.
  assert_equal "$(as_who drydock port "$id" 3000:"$port")" "127.0.0.1:$port"
  peer hold "$port" >"$BATS_TEST_TMPDIR/held" 3>&- &
  wait_for "connection" grep -x held "$BATS_TEST_TMPDIR/held"
  as_who drydock port "$id" --remove 3000
  wait $!
  refute_listens "$port"
  assert_equal "$(listed)" "[]"
  run -1 --separate-stderr as_who drydock port "$id" --remove 3000
  assert_equal "$stderr" "drydock: port 3000 of session $id is not served"
}

@test "streams end one by one, lose nothing, and a break stays a break" {
  local pid other
  open_port
  # Where nothing listens, the connection is closed at once.
  other=$(as_who drydock port "$id" 4000:0)
  peer closed "${other#*:}"
  peer late "$port"
  peer break "$port"
  peer many "$port" 200
  peer slow "$port" 64
  pid=$(companions "$id")
  [ "$(awk '/^RssAnon/ { print $2 }' "/proc/$pid/status")" -lt 65536 ]
  # No descriptor of an ended connection stays.
  wait_for "few descriptors" eval "[ \$(ls /proc/$pid/fd | wc -l) -lt 20 ]"
  close_ports 3000 4000
}

@test "a session that puts a link in its socket's place reaches nothing" {
  local socket=$BATS_TEST_TMPDIR/host.sock hit=$BATS_TEST_TMPDIR/hit host_pid
  open_port
  python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
print("up", flush=True)
s.accept()
open(sys.argv[2], "w")' "$socket" "$hit" >"$BATS_TEST_TMPDIR/up" 3>&- &
  host_pid=$!
  wait_for "socket" grep -x up "$BATS_TEST_TMPDIR/up"
  chmod 0777 "$socket"
  # shellcheck disable=SC2016 # for the session
  as_who drydock exec "$id" -- sh -c '
    for i in $(seq 300); do
      ln -sfn "$1" /run/drydock/holder.sock
      sleep 0.01
    done' sh "$socket" 3>&- &
  for _ in {1..30}; do
    peer many "$port" 1 2>/dev/null || true
  done
  wait $!
  [ ! -e "$hit" ]
  # The holder takes its place back.
  wait_for "the session's own" peer many "$port" 1
  kill "$host_pid"
  close_ports 3000
}

@test "a port that is taken, or not the user's to have, is refused; one outlives its companion" {
  local taken pid
  open_port
  taken=$port
  run -74 --separate-stderr as_who drydock port "$id" 4000:"$taken"
  assert_equal "$stderr" "drydock: port $taken of the host is taken: choose \
another with \"drydock port $id 4000:HOSTPORT\""
  run -74 --separate-stderr as_user drydock port "$id" 80
  assert_equal "$stderr" "drydock: only root may listen on port 80 of the \
host: choose one above 1023 with \"drydock port $id 80:HOSTPORT\""
  assert_equal "$(listed)" "[[3000,$port,true]]"
  pid=$(companions "$id")
  assert_equal "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid"
  kill -KILL "$pid"
  wait_for "no companion" has_no_companion "$id"
  assert_equal "$(as_who drydock port "$id")" \
    "3000 at 127.0.0.1:$port, not served: attach serves it again"
  # Whoever comes next starts the companion, and that serves all ports.
  as_who drydock port "$id" 4000:0 >/dev/null
  peer many "$port" 1
  assert_equal "$(listed | jq length)" 2
  # Taken only while a companion was away: it is served once it is free.
  kill -KILL "$(companions "$id")"
  wait_for "free port" refute_listens "$port"
  python3 -m http.server --bind 127.0.0.1 "$port" >/dev/null 2>&1 3>&- &
  wait_for "somebody else" listens "$port"
  as_who drydock port "$id" 4001:0 >/dev/null
  assert_contains "$(as_who drydock port "$id")" \
    "3000 at 127.0.0.1:$port, not served: the host's port is taken"
  kill $!
  wait $! || true
  wait_for "port" peer many "$port" 1
  # It ends with the session.
  as_who drydock stop "$id"
  wait_for "closed port" refute_listens "$port"
}
