# SPDX-License-Identifier: MIT
# The one way out: what is allowed answers, everything else is not there.

load ../helper

# The internet is a TLS server in a container; its names are the bed's
# resolver's.  Services of "the host" listen in the bed's namespace.
setup_file() {
  local image
  image=$(agent_image 0)
  export INTERNET_DIR=$BATS_FILE_TMPDIR/internet
  mkdir "$INTERNET_DIR"
  server_files "$INTERNET_DIR"
  INTERNET=$(docker run -d --rm --user 0 --entrypoint python3 \
    --volume "$INTERNET_DIR:/srv:ro" "$image" \
    /srv/tls.py /srv/cert /srv/key 443)
  INTERNET_IP=$(container_ip "$INTERNET")
  export INTERNET INTERNET_IP
  local name
  for name in allowed sub.allowed other public below a.below b.a.below plain; do
    echo "$name.drydock.test $INTERNET_IP"
  done >"$BED/dns/zone"
  for name in metadata metadata-private; do
    echo "$name.drydock.test 169.254.169.254"
  done >>"$BED/dns/zone"
  for name in host host-private; do
    echo "$name.drydock.test $BED_GATEWAY"
  done >>"$BED/dns/zone"
  python3 -m http.server --bind 127.0.0.1 18080 --directory "$INTERNET_DIR" \
    >/dev/null 2>&1 3>&- &
  echo "$!" >"$BATS_FILE_TMPDIR/pids"
  python3 -m http.server --bind 0.0.0.0 18081 --directory "$INTERNET_DIR" \
    >/dev/null 2>&1 3>&- &
  echo "$!" >>"$BATS_FILE_TMPDIR/pids"
  wait_for "service on the host" curl -s http://127.0.0.1:18080/
  wait_for "service on the host" curl -s http://127.0.0.1:18081/
  wait_for "the internet" curl -sk "https://$INTERNET_IP/"
}

teardown_file() {
  xargs kill <"$BATS_FILE_TMPDIR/pids" || true
  docker rm -f "$INTERNET" >/dev/null || true
  : >"$BED/dns/zone"
}

setup() {
  bed_setup user
  printf '%s\n' 'allowed.drydock.test private' 'public.drydock.test' \
    'metadata.drydock.test' 'metadata-private.drydock.test private' \
    'host.drydock.test' 'host-private.drydock.test private' \
    >"$XDG_CONFIG_HOME/drydock/allowlist"
  chown "$BED_UID:$BED_UID" "$XDG_CONFIG_HOME/drydock/allowlist"
  cp "$INTERNET_DIR/cert" "$BATS_TEST_DIRNAME/servers/reach.py" "$project"
  chmod 0644 "$project/cert"
  chmod 0755 "$project/reach.py"
}

# One session asks for all of them.
@test "an allowed host answers; another port, name or address gets 403, no DNS, and nothing past the proxy" {
  local targets=(
    "tcp:$BED_GATEWAY:18081" "tcp:$BED_GATEWAY:18080"
    tcp:127.0.0.1:18080 tcp:127.0.0.1:18081 tcp:0.0.0.0:18081
    "tcp:$INTERNET_IP:443" tcp:169.254.169.254:80 tcp:1.1.1.1:443
    "udp-dns:$BED_GATEWAY:53" "tcp-dns:$BED_GATEWAY:53"
    udp-dns:127.0.0.11:53 tcp-dns:127.0.0.11:53
    "udp-dns:1.1.1.1:53" "tcp:[fe80::1]:443" "tcp:[2606:4700::1111]:443"
  )
  # The same program does reach them from a container on the bridge.
  run docker run --rm --entrypoint python3 --volume "$INTERNET_DIR:/srv:ro" \
    "$(agent_image 0)" /srv/reach.py "${targets[@]}"
  assert_contains "$output" "tcp:$BED_GATEWAY:18081 yes"
  assert_contains "$output" "tcp:$INTERNET_IP:443 yes"
  assert_contains "$output" "udp-dns:$BED_GATEWAY:53 yes"
  assert_contains "$output" "tcp-dns:$BED_GATEWAY:53 yes"
  local name=n$RANDOM$RANDOM.refused.drydock.test
  # On no other port, nor by plain HTTP.
  local allowed=(https://allowed.drydock.test/ https://allowed.drydock.test:22/
    https://allowed.drydock.test:18081/ http://allowed.drydock.test/
    http://allowed.drydock.test:443/)
  local refused=(
    https://other.drydock.test/
    https://sub.allowed.drydock.test/
    https://xallowed.drydock.test/
    https://allowed.drydock.test.evil.test/
    "https://$INTERNET_IP/"
    "https://$BED_GATEWAY/"
    https://127.0.0.1/
    https://169.254.169.254/
    "https://[::1]/"
    https://2130706433/
    https://1.1.1.1/
    "https://$name/"
    # Allowed names that lead to a private address, the host or metadata: the
    # last two even as private.
    https://public.drydock.test/
    https://metadata.drydock.test/
    https://host.drydock.test/
    https://metadata-private.drydock.test/
    https://host-private.drydock.test/
  )
  printf '%s\n' "${targets[@]}" >"$project/targets"
  # curl itself would go past the proxy for the loopback.
  run -0 --separate-stderr in_session sh -c '
    export NO_PROXY= no_proxy=
    for url; do
      printf "%s %s\n" "$url" "$(curl -s --max-time 20 --cacert cert \
        -o /dev/null -w "%{http_connect} %{http_code}" "$url")"
    done
    unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
    xargs python3 reach.py <targets >reached' sh "${allowed[@]}" "${refused[@]}"
  assert_equal "$(cat "$project/reached")" "$(printf '%s no\n' "${targets[@]}")"
  assert_equal "$(head -n 5 <<<"$output")" "https://allowed.drydock.test/ 200 200
https://allowed.drydock.test:22/ 403 000
https://allowed.drydock.test:18081/ 403 000
http://allowed.drydock.test/ 000 403
http://allowed.drydock.test:443/ 000 403"
  assert_equal "$(tail -n +6 <<<"$output")" \
    "$(printf '%s 403 000\n' "${refused[@]}")"
  # The recorder records: the allowed name is there.  A refused one is never
  # resolved.
  grep -x 'udp allowed.drydock.test 1' "$BED/dns/log"
  run -1 grep -F -e "$name" -e refused.drydock.test "$BED/dns/log"
}

@test "a session makes no network; its proxy is its own, asks DNS for no name, and keeps its newest log" {
  local id ip pid listening
  : >"$BED/dns/log"
  docker network ls -q >"$BATS_TEST_TMPDIR/before"
  open_session sh -c 'echo ready; read -r _
    # Many refused requests, each of them long.
    python3 - <<"END"
import socket
for i in range(3000):
    s = socket.create_connection(("127.0.0.1", 3128))
    path = b"x" * 6000
    s.sendall(b"GET http://n%d.refused.test/%s HTTP/1.1\r\nHost: r\r\n\r\n"
              % (i, path))
    got = b""
    while chunk := s.recv(65536):
        got += chunk
    assert got.startswith(b"HTTP/1.1 403 "), got
    s.close()
END
    echo asked; read -r _ || :'
  docker network ls -q | diff "$BATS_TEST_TMPDIR/before" -
  id=$(docker ps -q --filter label=io.drydock.role=egress)
  ip=$(container_ip "$id")
  [ -n "$ip" ]
  run docker run --rm --entrypoint python3 --volume "$INTERNET_DIR:/srv:ro" \
    "$(agent_image 0)" /srv/reach.py "tcp:$ip:3128" "tcp:$INTERNET_IP:443"
  assert_contains "$output" "tcp:$ip:3128 no"
  assert_contains "$output" "tcp:$INTERNET_IP:443 yes"
  # Nothing in the sidecar listens on a port: the proxy has a unix socket.
  pid=$(docker inspect -f '{{.State.Pid}}' "$id")
  listening=$(awk '$4 == "0A" { print $2 }' "/proc/$pid/net/tcp" \
    "/proc/$pid/net/tcp6")
  assert_equal "$listening" ""
  echo >&"$session_in"
  wait_for "requests" grep -x asked "$session_lines"
  id=$(as_who drydock list --all --json | jq -r '.[] | select(.id).id')
  as_who drydock logs "$id" >"$BATS_TEST_TMPDIR/logs"
  close_session
  grep -F http://n2999.refused.test/ "$BATS_TEST_TMPDIR/logs" >/dev/null
  run grep -F http://n0.refused.test/ "$BATS_TEST_TMPDIR/logs"
  assert_equal "$status" 1
  grep -E '^# earlier lines that were dropped: [0-9]+$' "$BATS_TEST_TMPDIR/logs"
  run cat "$BED/dns/log"
  refute_contains "$output" in-addr.arpa
  assert_equal "$output" ""
}

@test "a name with one address of the host's, or that turns to it, gets 403" {
  local name
  printf '%s private\n' mixed.drydock.test turn.drydock.test:18081 \
    >>"$XDG_CONFIG_HOME/drydock/allowlist"
  for name in mixed turn; do
    echo "$name.drydock.test $INTERNET_IP"
  done >>"$BED/dns/zone"
  echo "mixed.drydock.test $BED_GATEWAY" >>"$BED/dns/zone"
  # The service at this port is the host's; the other address has none.
  open_session sh -c 'export NO_PROXY= no_proxy=
    curl -s -o /dev/null -w "mixed %{http_connect}\n" https://mixed.drydock.test/
    echo ready
    for i in $(seq 300); do
      code=$(curl -s -p -x http://127.0.0.1:3128 --max-time 20 -o /dev/null \
        -w "%{http_connect}" http://turn.drydock.test:18081/)
      echo "$code"
      [ "$code" = 503 ] || break
      sleep 0.1
    done; cat'
  wait_for "an answer before the turn" grep -x 503 "$session_lines"
  sed -i "s/^turn.drydock.test .*/turn.drydock.test $BED_GATEWAY/" "$BED/dns/zone"
  wait_for "the turn" grep -vxE 'ready|503|mixed 403' "$session_lines"
  close_session
  sed -i '/^\(mixed\|turn\)\./d' "$BED/dns/zone"
  run -0 sort -u "$session_lines"
  assert_equal "$(xargs <<<"$output")" "403 503 mixed 403 ready"
}

# raw URL...: what the proxy answers to each request of the Python list on stdin;
# in $project/answers, to each URL, as codes prints it.
raw() {
  cat >"$project/requests"
  cat >"$project/raw.py" <<'END'
import ast, socket
for request in ast.literal_eval(open("requests").read()):
    s = socket.create_connection(("127.0.0.1", 3128), timeout=20)
    s.sendall(request.encode("latin-1"))
    s.shutdown(socket.SHUT_WR)
    got = b""
    try:
        while chunk := s.recv(65536):
            got += chunk
            # A tunnel stays open.
            if got.startswith(b"HTTP/1.1 200") and request.startswith("CONNECT"):
                break
    except ConnectionResetError:
        pass
    print(got[9:12].decode() or "closed", ascii(request)[:60])
    s.close()
END
  # shellcheck disable=SC2016 # the session's shell
  in_session sh -c '
    for url; do
      printf "%s %s\n" "$url" "$(curl -s --max-time 20 --cacert cert \
        -o /dev/null -w "%{http_connect} %{http_code}" "$url")"
    done >answers
    exec python3 raw.py' sh "$@"
}

# The lines of each kind, and the names that only they open.
write_kinds() {
  printf '%s\n' '*.below.drydock.test private' \
    'allowed.drydock.test:18443 private' 'http://plain.drydock.test:443 private' \
    "$INTERNET_IP private" '[2001:db8::1]' >"$XDG_CONFIG_HOME/drydock/allowlist"
}

@test "wildcards, ports, plain HTTP and addresses open what they say, in no spelling more" {
  write_kinds
  local long neighbour_number asked
  asked=$(($(wc -l <"$BED/dns/log") + 1))
  local neighbour=${INTERNET_IP%.*}.254
  long=$(printf 'a%.0s' {1..70})
  # shellcheck disable=SC2086 # four numbers
  neighbour_number=$((16#$(printf '%02x' ${neighbour//./ })))
  # The first three reach a.below or its address.  Each other answer is a
  # refusal or an error.
  run --separate-stderr raw https://a.below.drydock.test/ \
    https://b.a.below.drydock.test/ https://below.drydock.test/ \
    https://xbelow.drydock.test/ https://allowed.drydock.test/ \
    https://allowed.drydock.test:18443/ "https://$INTERNET_IP/" \
    http://plain.drydock.test:443/ http://plain.drydock.test/ \
    https://plain.drydock.test/ http://a.below.drydock.test:443/ <<END
[
  "CONNECT a.below.drydock.test:443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
  "CONNECT A.BELOW.drydock.TEST.:443 HTTP/1.1\\r\\nHost: other.drydock.test\\r\\n\\r\\n",
  "CONNECT $INTERNET_IP:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT a.below.drydock.test:0443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT a.below.drydock.test:443@other.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT other.drydock.test:443 HTTP/1.1\\r\\nHost: a.below.drydock.test\\r\\n\\r\\n",
  "CONNECT other.drydock.test:443 HTTP/1.1\\r\\nHost: a.below.drydock.test\\r\\nHost: other.drydock.test\\r\\n\\r\\n",
  "CONNECT .below.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT below.drydock.test.:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT below.drydock.test..:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT aXbelow.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT a.belowxdrydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT a.below.drydock.test.evil.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT a.below.drydock.test:22 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT a.below.drydock.test@other.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT other.drydock.test#a.below.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT other.drydock.test\\0a.below.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT other.drydock.test\\0.a.below.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT other.drydock.test%00.below.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT other.drydock.test%2ebelow.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT other.drydock.test\\r.below.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT other.drydock.test\\t.below.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT $long.below.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT b\\xfccher.drydock.test:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT $neighbour_number:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT [::ffff:$neighbour]:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT [2001:db8::2]:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT [2001:db8::1]:80 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT 127.0.0.1:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT 0x7f.1:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT 0177.0.0.1:443 HTTP/1.1\\r\\n\\r\\n",
  "CONNECT [::1]:443 HTTP/1.1\\r\\n\\r\\n",
  "GET http://other.drydock.test:443/ HTTP/1.1\\r\\nHost: plain.drydock.test:443\\r\\n\\r\\n",
  "GET http://plain.drydock.test:443@other.drydock.test:443/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n",
  "GET https://plain.drydock.test:443/ HTTP/1.1\\r\\nHost: plain.drydock.test\\r\\n\\r\\n",
  "GET ftp://plain.drydock.test:443/ HTTP/1.1\\r\\nHost: plain.drydock.test\\r\\n\\r\\n",
  "GET / HTTP/1.1\\r\\nHost: plain.drydock.test:443\\r\\n\\r\\n",
  "GET /squid-internal-mgr/info HTTP/1.1\\r\\nHost: drydock\\r\\n\\r\\n",
  "GET http://drydock:3128/squid-internal-mgr/info HTTP/1.1\\r\\nHost: drydock\\r\\n\\r\\n",
  "GET cache_object://localhost/info HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"
]
END
  echo "$output"
  echo "$stderr"
  assert_equal "$status" 0
  assert_equal "$(head -n 3 <<<"$output" | cut -c 1-3 | xargs)" "200 200 200"
  assert_equal "$(tail -n +4 <<<"$output" | grep -cvE '^(403|400) ')" 0
  assert_equal "$(wc -l <<<"$output")" 40
  output=$(cat "$project/answers")
  assert_contains "$output" "https://a.below.drydock.test/ 200 "
  assert_contains "$output" "https://b.a.below.drydock.test/ 200 "
  assert_contains "$output" "https://below.drydock.test/ 403 000"
  assert_contains "$output" "https://xbelow.drydock.test/ 403 000"
  assert_contains "$output" "https://allowed.drydock.test/ 403 000"
  # Nothing listens there: the proxy tried.
  assert_contains "$output" "https://allowed.drydock.test:18443/ 503 000"
  assert_contains "$output" "https://$INTERNET_IP/ 200 "
  refute_contains "$output" "http://plain.drydock.test:443/ 000 403"
  assert_contains "$output" "http://plain.drydock.test/ 000 403"
  assert_contains "$output" "https://plain.drydock.test/ 403 000"
  assert_contains "$output" "http://a.below.drydock.test:443/ 000 403"
  # No name that is not listed was asked for.
  run grep -E 'other|evil|xdrydock|xbelow' <(tail -n "+$asked" "$BED/dns/log")
  assert_equal "$status" 1
}

@test "an empty allowlist denies everything that the agent does not need; a project has its own" {
  local other=$BATS_TEST_TMPDIR/other key
  mkdir "$other"
  chown "$BED_UID" "$other"
  cp "$project/cert" "$other"
  key=$(printf %s "$other" | sha256sum | cut -c 1-16)-other
  : >"$XDG_CONFIG_HOME/drydock/allowlist"
  as_user mkdir -p "$XDG_CONFIG_HOME/drydock/projects/$key"
  echo 'allowed.drydock.test private' | as_user tee \
    "$XDG_CONFIG_HOME/drydock/projects/$key/allowlist" >/dev/null
  HTTPS_PROXY=http://me:secret@proxy.example:8080 run --separate-stderr \
    codes https://allowed.drydock.test/
  assert_equal "$output" "https://allowed.drydock.test/ 403 000"
  assert_contains "$stderr" "a proxy to 2 allowed hosts"
  # The words about a proxy of the host (upstream.bats) without its password.
  assert_contains "$stderr" "upstream_proxy http://HOST:PORT"
  refute_contains "$stderr" secret
  project=$other
  run --separate-stderr codes https://allowed.drydock.test/
  assert_contains "$output" "https://allowed.drydock.test/ 200 200"
  assert_contains "$stderr" "a proxy to 3 allowed hosts"
}

@test "a bad allowlist line is refused with its number" {
  printf '# fine\nallowed.drydock.test\n*.wild\n' \
    >"$XDG_CONFIG_HOME/drydock/allowlist"
  run --separate-stderr in_session true
  assert_equal "$status" 78
  assert_contains "$stderr" "allowlist:3"
}

# Of the Internet's addresses, none that anybody here has.
LATER=11.22.33.44

teardown() {
  ip address del "$LATER/32" dev lo 2>/dev/null || true
}

@test "an address that the host gets later is refused" {
  local id pid state
  echo "later.drydock.test $LATER" >>"$BED/dns/zone"
  echo later.drydock.test:18081 >>"$XDG_CONFIG_HOME/drydock/allowlist"
  # The answers to CONNECT, until one is what the next line of input says.
  open_session sh -c 'echo ready
    while read -r want; do
      for i in $(seq 100); do
        code=$(curl -s -p --max-time 5 -o /dev/null -w "%{http_connect}" \
          http://later.drydock.test:18081/)
        [ "$code" != "$want" ] || break
        sleep 0.2
      done
      echo "$want: $code"
    done'
  id=$(as_who drydock list --all --json | jq -r '.[] | select(.id).id')
  state=$XDG_STATE_HOME/drydock/sessions/$id
  ip address add "$LATER/32" dev lo
  echo 403 >&"$session_in"
  wait_for "refusal" grep '^403: ' "$session_lines"
  assert_equal "$(grep '^403: ' "$session_lines")" "403: 403"
  wait_for "companion" has_companion "$id"
  assert_equal "$(as_who drydock list --all --json | jq '.[0].companion')" true
  pid=$(companions "$id")
  # Small, and in no session or group of its starter's.
  assert_equal "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid"
  [ "$(awk '/^RssAnon/ { print $2 }' "/proc/$pid/status")" -lt 4096 ]
  refute_contains "$(ls -l "/proc/$pid/fd")" lease
  ip address del "$LATER/32" dev lo
  listed() { grep -x "$LATER" "$state/sidecar/conf/host-addresses"; }
  unlisted() { ! listed; }
  wait_for "shorter list" unlisted
  close_session
  wait_for "companion gone" has_no_companion "$id"
  assert_equal "$(find "$XDG_STATE_HOME/drydock/sessions" \
    "$XDG_STATE_HOME/drydock/trash" -mindepth 1)" ""
}

# answer HOST: the proxy's answer to the running session's CONNECT.
answer() {
  as_who drydock exec "$session" -- curl -s --max-time 20 --cacert cert \
    -o /dev/null -w '%{http_connect}' "https://$1/" || true
}

@test "allow and deny reach a running session without a restart, and open nothing else" {
  local before session conf host i
  host=$(jq -r '.hosts[0]' "$(<"$BED/prefix")/share/drydock/agents/claude.json")
  DRYDOCK_AGENT_HOSTS=no open_session sh -c 'echo ready; cat'
  session=$(ls "$XDG_STATE_HOME/drydock/sessions")
  before=$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' \
    "$(docker ps -q --filter label=io.drydock.role=egress)")
  assert_equal "$(answer other.drydock.test)" 403
  cd "$project"
  # Its address is private: the command that is shown says so.
  run -0 as_who drydock allow other.drydock.test
  by_address() {
    answer other.drydock.test
    as_who drydock egress "$session" |
      grep -F "(drydock allow --private other.drydock.test)"
  }
  wait_for "a refusal for the address" by_address
  run -0 as_who drydock allow --private other.drydock.test
  opened() { [ "$(answer other.drydock.test)" = 200 ]; }
  wait_for "the host is open" opened
  assert_equal "$(answer sub.allowed.drydock.test)" 403
  # Nor what the environment closed at the launch.
  conf=$XDG_STATE_HOME/drydock/sessions/$session/sidecar/conf/hosts
  run -0 grep -c ' other.drydock.test 443 ' "$conf"
  run -1 grep -F -- "$host" "$conf"
  # A list that does not parse: the session keeps the last good one.
  echo '*.com' | as_user tee -a "$XDG_CONFIG_HOME/drydock/allowlist" >/dev/null
  run -78 --separate-stderr as_who drydock allow sub.allowed.drydock.test
  assert_contains "$stderr" "is a whole top-level domain"
  assert_equal "$(answer other.drydock.test)" 200
  sed -i '$d' "$XDG_CONFIG_HOME/drydock/allowlist"
  run -0 as_who drydock deny other.drydock.test
  closed() { [ "$(answer other.drydock.test)" = 403 ]; }
  wait_for "the host is closed" closed
  assert_equal "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' \
    "$(docker ps -q --filter label=io.drydock.role=egress)")" "$before"
  run -0 --separate-stderr as_who drydock egress --json "$session"
  assert_equal "$(jq -r '.[] | select(.host == "other.drydock.test") |
    "\(.outcome) \(.allow)"' <<<"$output" | sort | xargs -d '\n')" \
    "allowed null refused drydock allow other.drydock.test"
  run -0 as_who drydock egress "$session"
  assert_contains "$output" "(drydock allow other.drydock.test)"

  # A proxy that reads a new list is never open.
  cat >"$project/hammer.py" <<'END'
import collections, os, socket
seen = collections.Counter()
print("ready", flush=True)
while not os.path.exists("stop"):
    s = socket.create_connection(("127.0.0.1", 3128), timeout=20)
    try:
        s.sendall(b"CONNECT sub.allowed.drydock.test:443 HTTP/1.1\r\n\r\n")
        seen[s.recv(65536)[9:12].decode()] += 1
    except ConnectionResetError:
        seen[""] += 1
    s.close()
print(dict(seen))
END
  as_who drydock exec "$session" -- python3 hammer.py </dev/null \
    >"$BATS_TEST_TMPDIR/seen" 3>&- &
  wait_for "a client" grep -x ready "$BATS_TEST_TMPDIR/seen"
  for i in 1 2 3 4 5 6; do
    as_who drydock allow --private "h$i.drydock.test"
    as_who drydock deny "h$i.drydock.test"
  done
  touch "$project/stop"
  wait $!
  run -0 tail -n 1 "$BATS_TEST_TMPDIR/seen"
  assert_contains "$output" "'403'"
  refute_contains "$output" "'200'"
  close_session
}

@test "each client shows that drydock refused, and most the host; egress --follow prints each as it comes" {
  # shellcheck disable=SC2016 # the session's shell
  open_session sh -c 'echo ready; read -r _
    exec 2>&1
    curl -s --max-time 20 https://one.refused.test/
    curl -s --max-time 20 http://two.refused.test/?secret
    cd /tmp
    curl -sS https://curl.refused.test/; echo "curl $?"
    curl -sS http://plain.refused.test/; echo "plain $?"
    git ls-remote https://git.refused.test/x; echo "git $?"
    npm --fetch-retries 0 --registry https://npm.refused.test/ view x
    echo "npm $?"
    python3 -c "import urllib.request as r; r.urlopen(\"https://py.refused.test/\")"
    echo "python $?"
    python3 -m pip --retries 1 download --no-cache-dir \
      --index-url https://pip.refused.test/ x; echo "pip $?"; cat'
  cd "$project"
  as_who drydock egress --follow \
    "$(ls "$XDG_STATE_HOME/drydock/sessions")" >"$BATS_TEST_TMPDIR/followed" 3>&- \
    {session_in}>&- &
  local follower=$!
  echo go >&"$session_in"
  wait_for "the request" grep -F two.refused.test "$BATS_TEST_TMPDIR/followed"
  wait_for "the last client" grep "^pip " "$session_lines"
  close_session
  # Until the end.
  wait "$follower"
  run -0 cut -d ' ' -f 2- "$BATS_TEST_TMPDIR/followed"
  assert_equal "$(head -n 2 <<<"$output" | xargs -L 1)" \
    "refused 1 one.refused.test (drydock allow one.refused.test)
refused 1 http://two.refused.test (drydock allow http://two.refused.test)"
  assert_contains "$output" pip.refused.test
  local all told host
  all=$(<"$session_lines")
  told=$(grep 'drydock allow' "$BATS_TEST_TMPDIR/session.err")
  echo "$all"
  assert_contains "$all" "403"
  assert_contains "$all" "drydock refused GET plain.refused.test: this session's\
 allowlist does not have it"
  assert_contains "$all" "drydock refused py.refused.test:443: it is not on the\
 allowlist"
  assert_contains "$all" "drydock refused pip.refused.test:443"
  for host in curl git npm py pip plain; do
    assert_contains "$told" "$host.refused.test"
  done
}

@test "200 connections at once, a late answer, and with --full a GiB" {
  cat >"$project/large.py" <<'END'
import hashlib, socket, sys
def ask(word):
    s = socket.create_connection(("127.0.0.1", 3128), timeout=120)
    s.sendall(b"CONNECT far.drydock.test:7000 HTTP/1.1\r\n\r\n")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += s.recv(1)
    assert head.startswith(b"HTTP/1.1 200"), head
    s.sendall(word)
    return s
def answer(s):
    got = b""
    while chunk := s.recv(65536):
        got += chunk
    return got
many = [ask(b"echo %d\n" % i) for i in range(200)]
assert [answer(s) for s in many] == [b"echo %d\n" % i for i in range(200)]
print("200 connections")
# The answer comes long after the client's half-close: longer than a proxy's
# usual limits, with --full.
seconds = b"60" if sys.argv[1:] == ["full"] else b"2"
late = ask(b"late %s\n" % seconds)
late.shutdown(socket.SHUT_WR)
if sys.argv[1:] == ["full"]:
    big = ask(b"big\n")
    got, want = hashlib.sha256(), hashlib.sha256()
    while chunk := big.recv(1 << 20):
        got.update(chunk)
    for _ in range(1024):
        want.update(bytes(range(256)) * 4096)
    assert got.digest() == want.digest()
    print("a GiB")
assert answer(late) == b"late %s\n" % seconds
print("a late answer")
END
  cat >"$BATS_TEST_TMPDIR/far.py" <<'END'
import socketserver, time
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        word = self.rfile.readline()
        if word.startswith(b"late "):
            assert self.rfile.read() == b""
            time.sleep(int(word.split()[1]))
        for _ in range(1024 if word == b"big\n" else 0):
            self.wfile.write(bytes(range(256)) * 4096)
        if word != b"big\n":
            self.wfile.write(word)
class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 512
Server(("", 7000), Handler).serve_forever()
END
  local far full=()
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" != all ] || full=(full)
  far=$(docker run -d --rm --user 0 --entrypoint python3 \
    --volume "$BATS_TEST_TMPDIR/far.py:/far.py:ro" "$(agent_image 0)" /far.py)
  echo "far.drydock.test $(container_ip "$far")" >>"$BED/dns/zone"
  echo 'far.drydock.test:7000 private' >>"$XDG_CONFIG_HOME/drydock/allowlist"
  run --separate-stderr in_session python3 large.py "${full[@]}"
  docker rm -f "$far" >/dev/null
  sed -i '/^far\./d' "$BED/dns/zone"
  echo "$stderr"
  assert_equal "$status" 0
  assert_contains "$output" "200 connections"
  assert_contains "$output" "a late answer"
}
