# SPDX-License-Identifier: MIT
# Package managers in a contained session: the registry that this machine's
# configuration names is opened by the bundle, and a refusal is understood.

load ../helper
load registry

setup() {
  bed_setup user
  srv=$BATS_TEST_TMPDIR/srv
  mkdir "$srv"
}

teardown() {
  stop_registry
  rm -f "$BED/user/.npmrc"
}

# start_registry URL: an https server with one npm package, dep.
start_registry() {
  local integrity
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
  serve_registry "$srv"
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

# make_debs: two repositories with a package each, first and second, whose
# program prints its name.
make_debs() {
  local name dir sum
  for name in first second; do
    dir=$srv/root/$name
    mkdir -p "$srv/$name/DEBIAN" "$srv/$name/usr/bin" "$dir"
    printf '#!/bin/sh\necho %s\n' "$name" >"$srv/$name/usr/bin/$name"
    chmod 0755 "$srv/$name/usr/bin/$name"
    printf '%s\n' "Package: $name" 'Version: 1' 'Architecture: all' \
      'Maintainer: Nobody <nobody@drydock.test>' 'Description: a test' \
      >"$srv/$name/DEBIAN/control"
    dpkg-deb --build "$srv/$name" "$dir/$name.deb" >/dev/null
    sum=$(sha256sum <"$dir/$name.deb")
    {
      cat "$srv/$name/DEBIAN/control"
      printf '%s\n' "Filename: ./$name.deb" "Size: $(stat -c %s "$dir/$name.deb")" \
        "SHA256: ${sum%% *}"
    } >"$dir/Packages"
    sum=$(sha256sum <"$dir/Packages")
    printf '%s\n' "Date: $(LC_ALL=C date -uR)" 'SHA256:' \
      " ${sum%% *} $(stat -c %s "$dir/Packages") Packages" >"$dir/Release"
  done
}

@test "apt gets packages from an allowed repository, by https and by http" {
  local host
  make_debs
  serve_registry "$srv"
  cp "$srv/cert" "$project"
  chmod 0644 "$project/cert"
  # The image is read-only, and the caller is not root.
  cat >"$project/get.sh" <<'END'
set -eu
mkdir -p /tmp/apt/state/lists/partial /tmp/apt/cache/archives/partial /tmp/get
cp cert /tmp/get && cd /tmp/get
cat >/tmp/apt/sources.list <<'END_OF_LIST'
deb [trusted=yes] https://registry.drydock.test:8443/first ./
deb [trusted=yes] http://registry.drydock.test:8080/second ./
END_OF_LIST
apt() {
  timeout 20 apt-get -q -o Dir::State=/tmp/apt/state \
    -o Dir::Cache=/tmp/apt/cache -o Dir::Etc::SourceParts=- \
    -o Dir::Etc::SourceList=/tmp/apt/sources.list -o Acquire::Retries=0 \
    -o Acquire::https::CaInfo=/tmp/get/cert "$@" 2>&1
}
apt --error-on=any update || { echo "status $?"; exit 1; }
apt download first second
for name in first second; do
  dpkg-deb --extract ./"$name"_1_all.deb .
  "./usr/bin/$name"
done
END
  run -1 --separate-stderr in_session sh get.sh
  assert_equal "${lines[-1]}" "status 100"
  assert_contains "$output" "drydock refused registry.drydock.test:8443: it is\
 not on the allowlist"
  for host in registry.drydock.test:8443 http://registry.drydock.test:8080; do
    assert_contains "${stderr#*drydock allow}" " $host"
  done

  cd "$project"
  as_user drydock allow --private registry.drydock.test:8443 \
    http://registry.drydock.test:8080
  run --separate-stderr in_session sh get.sh
  [ "$status: ${lines[-2]} ${lines[-1]}" = "0: first second" ] ||
    fail "$output" "$stderr"
  refute_contains "$stderr" "refused"
}
