# SPDX-License-Identifier: MIT
# Package managers in a contained session: the registry that this machine's
# configuration names is opened by the bundle, and a refusal is understood.

load ../helper

setup() {
  bed_setup user
  srv=$BATS_TEST_TMPDIR/srv
  mkdir "$srv"
}

teardown() {
  [ -z "${registry-}" ] || docker rm -f "$registry" >/dev/null || true
  rm -f "$BED/user/.npmrc"
  : >"$BED/dns/zone"
}

# start_registry URL: an https server with one npm package, dep.
start_registry() {
  local integrity
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -keyout "$srv/key" -out "$srv/cert" -days 2 -subj /CN=drydock.test \
    -addext 'subjectAltName=DNS:registry.drydock.test' 2>/dev/null
  mkdir -p "$srv/package" "$srv/root"
  echo '{"name": "dep", "version": "1.0.0"}' >"$srv/package/package.json"
  echo 'module.exports = 42' >"$srv/package/index.js"
  tar -C "$srv" -czf "$srv/root/dep-1.0.0.tgz" package
  integrity=sha512-$(openssl dgst -sha512 -binary "$srv/root/dep-1.0.0.tgz" |
    base64 -w 0)
  jq -n --arg url "$1/dep-1.0.0.tgz" --arg integrity "$integrity" '{
    name: "dep", "dist-tags": {latest: "1.0.0"},
    versions: {"1.0.0": {name: "dep", version: "1.0.0",
      dist: {tarball: $url, integrity: $integrity}}}}' >"$srv/root/dep"
  registry=$(docker run -d --user 0 --volume "$srv:/srv:ro" \
    --workdir /srv/root --entrypoint python3 "$(agent_image 0)" -c '
import http.server, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/srv/cert", "/srv/key")
server = http.server.ThreadingHTTPServer(
    ("", 8443), http.server.SimpleHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()')
  echo "registry.drydock.test $(docker inspect -f \
    '{{.NetworkSettings.IPAddress}}' "$registry")" >"$BED/dns/zone"
  wait_for "the registry" curl -sk \
    "https://$(cut -d ' ' -f 2 "$BED/dns/zone"):8443/dep"
}

# npm_install: of the package, from the registry that the session's npm knows.
npm_install() {
  in_session sh -euc 'export NODE_EXTRA_CA_CERTS=$PWD/cert
    npm install --fetch-retries 0 --no-audit --no-fund dep
    node -p "require(\"dep\")"'
}

@test "@npm opens the registry that the user's npm is set to, and its files" {
  local url=https://registry.drydock.test:8443
  start_registry "$url"
  printf '%s\n' "registry=$url/" '//registry.drydock.test:8443/:_authToken=secret' |
    as_user tee "$BED/user/.npmrc" >/dev/null
  cp "$srv/cert" "$project"
  echo '{"name": "app", "version": "1.0.0"}' >"$project/package.json"
  chmod 0644 "$project/cert"
  chown "$BED_UID:$BED_UID" "$project/package.json"

  run ! --separate-stderr npm_install
  assert_contains "$stderr" "drydock refused "
  cd "$project"
  run -0 --separate-stderr as_user drydock allow --private @npm
  assert_contains "$stderr" \
    "@npm opens registry.drydock.test:8443, which ~/.npmrc names"
  run --separate-stderr npm_install
  [ "$status: ${output##*$'\n'}" = "0: 42" ] || fail "$output" "$stderr"
  # The user's credentials stay outside.
  run -1 grep -rl secret "$XDG_STATE_HOME/drydock" "$XDG_CONFIG_HOME/drydock"
}

@test "@npm opens npm's own default where nothing else is set" {
  local url host
  url=$(docker run --rm --network none --user 65534 --entrypoint npm \
    "$(agent_image "$BED_UID")" config get registry 2>/dev/null)
  host=${url#https://}
  host=${host%/}
  cd "$project"
  run -0 --separate-stderr as_user drydock allow @npm
  assert_equal "$stderr" "drydock: @npm opens $host, which npm's default names"
  # A launch asks nothing.
  run --separate-stderr in_session npm --fetch-retries 0 view dep
  refute_contains "$stderr" "npm config get registry"
  refute_contains "$stderr" "it is not on the allowlist"
  assert_equal "$(as_user drydock deny "$host" 2>&1)" "drydock: \
$host stays open: \"$host\" comes from the project's allowlist
drydock: $(echo "$XDG_CONFIG_HOME"/drydock/projects/*/allowlist) has no line for $host"
}

@test "apt says that drydock refused, by http and by https" {
  local host
  run --separate-stderr in_session sh -c '
    mkdir -p /tmp/apt/state/lists/partial /tmp/apt/cache/archives/partial
    for url in http://http.refused.test https://https.refused.test; do
      echo "deb [trusted=yes] $url stable main" >>/tmp/apt/sources.list
    done
    apt-get -o Dir::State=/tmp/apt/state -o Dir::Cache=/tmp/apt/cache \
      -o Dir::Etc::SourceList=/tmp/apt/sources.list -o Dir::Etc::Parts=- \
      -o Dir::Etc::SourceParts=- -o Acquire::Retries=0 update 2>&1'
  echo "$output"
  echo "$stderr"
  assert_contains "$output" "403"
  assert_contains "$output" "drydock refused https.refused.test:443: it is not on"
  for host in http://http.refused.test https.refused.test; do
    assert_contains "${stderr#*drydock allow}" " $host"
  done
}

@test "cargo says that the proxy refused" {
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ] ||
    skip "cargo is a download of 500 MB, in check --full"
  export DRYDOCK_TOOLCHAINS=rust
  images_all >"$BATS_TEST_TMPDIR/before"
  as_user drydock build --bootstrap >"$BATS_TEST_TMPDIR/build" 2>&1 ||
    fail "$(tail -n 30 "$BATS_TEST_TMPDIR/build")"
  run --separate-stderr in_session sh -c '
    mkdir -p /tmp/c/src /tmp/c/.cargo && cd /tmp/c && touch src/lib.rs
    printf "%s\n" "[package]" "name = \"c\"" "version = \"1.0.0\"" \
      "[dependencies]" "dep = \"1\"" >Cargo.toml
    printf "%s\n" "[source.crates-io]" "replace-with = \"other\"" \
      "[source.other]" "registry = \"sparse+https://cargo.refused.test/\"" \
      >.cargo/config.toml
    CARGO_NET_RETRY=0 cargo fetch 2>&1'
  images_remove_new "$BATS_TEST_TMPDIR/before"
  echo "$output"
  echo "$stderr"
  assert_contains "$output" "CONNECT tunnel failed, response 403"
  assert_contains "$stderr" "drydock allow cargo.refused.test"
}
