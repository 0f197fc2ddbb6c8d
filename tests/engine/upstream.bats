# SPDX-License-Identifier: MIT
# The session's proxy connects through an upstream proxy, and past it to nobody.

load ../helper

setup_file() {
  local image
  image=$(agent_image 0)
  export DIR=$BATS_FILE_TMPDIR/servers
  mkdir "$DIR"
  server_files "$DIR"
  server() {
    docker run -d --rm --user 0 --entrypoint python3 --volume "$DIR:/srv:ro" \
      "$image" "$@"
  }
  INTERNET=$(server /srv/tls.py /srv/cert /srv/key 443)
  PLAIN=$(server -m http.server --directory /srv 80)
  PARENT=$(server /srv/parent.py 3128 "$(container_ip "$INTERNET")")
  PARENT_IP=$(container_ip "$PARENT")
  export INTERNET PLAIN PARENT PARENT_IP
  wait_for "the internet" curl -sk "https://$(container_ip "$INTERNET")/"
  wait_for "the parent" curl -skp --proxy "http://$PARENT_IP:3128" \
    https://first.drydock.test/
}

teardown_file() {
  docker rm -f "$INTERNET" "$PLAIN" "$PARENT" >/dev/null || true
  : >"$BED/dns/zone"
}

setup() {
  bed_setup user
  echo 'a.drydock.test' >"$XDG_CONFIG_HOME/drydock/allowlist"
  chown "$BED_UID:$BED_UID" "$XDG_CONFIG_HOME/drydock/allowlist"
  cp "$DIR/cert" "$project"
  chmod 0644 "$project/cert"
  cd "$project" || return
}

teardown() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

upstream() {
  as_who drydock config set upstream_proxy "$1"
}

asked() {
  docker logs "$PARENT" 2>&1
}

# was_asked TEXT: the engine has a line of the parent's a little later.
was_asked() {
  asked | grep -F -- "$1"
}

@test "an upstream proxy by its name, which is resolved" {
  echo "parent.drydock.test $PARENT_IP" >"$BED/dns/zone"
  upstream http://parent.drydock.test:3128/
  run -0 --separate-stderr codes https://a.drydock.test/
  assert_equal "$output" "https://a.drydock.test/ 200 200"
  grep -F parent.drydock.test "$BED/dns/log"
}

@test "a session reaches nobody without its upstream proxy, where it did with none" {
  echo "a.drydock.test $(container_ip "$INTERNET")" >"$BED/dns/zone"
  echo 'a.drydock.test private' >"$XDG_CONFIG_HOME/drydock/allowlist"
  HTTPS_PROXY=http://proxy.example:8080 run -0 --separate-stderr \
    codes https://a.drydock.test/
  assert_equal "$output" "https://a.drydock.test/ 200 200"
  # A proxy of the host is not used, and told.
  assert_contains "$stderr" "HTTPS_PROXY of this host is not used by the\
 session; to use it run \"drydock config set upstream_proxy\
 http://proxy.example:8080\""
  refute_contains "$stderr" "the upstream proxy"
  upstream "http://$PARENT_IP:3129"
  run -0 --separate-stderr codes https://a.drydock.test/
  assert_equal "$output" "https://a.drydock.test/ 503 000"
}

@test "allowed names go to the upstream proxy of the launch alone, others to nobody" {
  local session
  upstream "http://$PARENT_IP:3128"
  : >"$BED/dns/log"
  # shellcheck disable=SC2016 # the session's shell
  open_session sh -c '
    for url; do
      printf "%s %s\n" "$url" "$(curl -s --max-time 20 --cacert cert \
        -o /dev/null -w "%{http_connect} %{http_code}" "$url")"
    done
    echo ready; cat' sh https://a.drydock.test/ https://other.drydock.test/
  # The name leads to a private address, which is not drydock's to refuse.
  assert_equal "$(cat "$session_lines")" "https://a.drydock.test/ 200 200
https://other.drydock.test/ 403 000
ready"
  assert_contains "$(cat "$BATS_TEST_TMPDIR/session.err")" \
    "connects through the upstream proxy $PARENT_IP:3128 alone, which resolves\
 the names: drydock refuses no private address then"
  wait_for "the parent's log" was_asked "CONNECT a.drydock.test:443 HTTP/1.1"
  refute_contains "$(asked)" other.drydock.test
  # Not even an allowed name is resolved here.
  assert_equal "$(cat "$BED/dns/log")" ""

  # One that runs keeps the proxy that it was launched with.
  session=$(ls "$XDG_STATE_HOME/drydock/sessions")
  as_who drydock config unset upstream_proxy
  as_who drydock allow b.drydock.test
  run ! was_asked "CONNECT b.drydock.test:443"
  opened() {
    [ "$(as_who drydock exec "$session" -- curl -s --max-time 20 --cacert cert \
      -o /dev/null -w '%{http_connect}' https://b.drydock.test/)" = 200 ]
  }
  wait_for "the host is open" opened
  wait_for "the parent's log" was_asked "CONNECT b.drydock.test:443"
  assert_equal "$(as_who drydock list --all --json |
    jq -r '.[] | select(.id).upstream_proxy')" "http://$PARENT_IP:3128"
  # The name servers are told, too, where none is asked.
  assert_equal "$(as_who drydock list --all --json |
    jq -r '.[] | select(.id).resolvers | join(" ")')" "$BED_GATEWAY"
  run -0 --separate-stderr as_who drydock egress "$session"
  assert_contains "$stderr" "the proxy's name servers: $BED_GATEWAY"
  close_session
}
