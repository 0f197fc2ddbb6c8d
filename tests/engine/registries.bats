# SPDX-License-Identifier: MIT
# Real cargo in contained sessions, through the proxy.

load ../helper
load registry

# A download of 500 MB.
if [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ]; then
  export DRYDOCK_TOOLCHAINS=rust
fi

setup_file() {
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ] || return 0
  export BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
  bed_setup user
  images_all >"$BATS_FILE_TMPDIR/before"
  as_user drydock build --bootstrap >"$BATS_FILE_TMPDIR/build" 2>&1 ||
    fail "$(tail -n 30 "$BATS_FILE_TMPDIR/build")"
}

teardown_file() {
  [ ! -e "$BATS_FILE_TMPDIR/before" ] ||
    images_remove_new "$BATS_FILE_TMPDIR/before"
}

setup() {
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ] ||
    skip "cargo is a download of 500 MB, in check --full"
  bed_setup user
  as_user cp "$BATS_FILE_TMPDIR/state/drydock/images.json" \
    "$XDG_STATE_HOME/drydock/images.json"
}

teardown() {
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ] || return 0
  stop_registry
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

# crate DIR NAME...: a package that needs these, and prints how many they are.
crate() {
  local dir=$1 name sum=0
  shift
  mkdir -p "$dir/src" "$dir/.cargo"
  {
    printf '%s\n' '[package]' 'name = "app"' 'version = "1.0.0"' \
      'edition = "2021"' '[dependencies]'
    printf '%s = "1"\n' "$@"
  } >"$dir/Cargo.toml"
  for name; do
    sum+=" + $name::$name()"
  done
  echo "fn main() { println!(\"{} crates\", $sum) }" >"$dir/src/main.rs"
}

# mirror DIR URL: cargo in DIR gets what is on crates.io from there.
mirror() {
  printf '%s\n' '[source.crates-io]' 'replace-with = "other"' \
    '[source.other]' "registry = \"sparse+$2/\"" >"$1/.cargo/config.toml"
}

@test "cargo builds with a crate of an allowed registry, by https and by http" {
  local srv=$BATS_TEST_TMPDIR/srv host
  mkdir "$srv"
  make_crates "$srv/root/secure" https://registry.drydock.test:8443/secure \
    100 left
  make_crates "$srv/root/plain" http://registry.drydock.test:8080/plain \
    100 right
  serve_registry "$srv"
  crate "$project/left" left
  mirror "$project/left" https://registry.drydock.test:8443/secure/index
  crate "$project/right" right
  mirror "$project/right" http://registry.drydock.test:8080/plain/index
  cp "$srv/cert" "$project"
  chmod -R a+rX "$project"
  chown -R "$BED_UID:$BED_UID" "$project"
  local build='export CARGO_HTTP_CAINFO=$PWD/cert
    for dir in left right; do
      (cd "$dir" && timeout 20 cargo run 2>&1) || echo "status $?"
    done'
  run -0 --separate-stderr in_session sh -c "$build"
  assert_equal "$(grep -c '^status 101$' <<<"$output")" 2
  assert_contains "$output" "CONNECT tunnel failed, response 403"
  for host in registry.drydock.test:8443 http://registry.drydock.test:8080; do
    assert_contains "${stderr#*drydock allow}" " $host"
  done

  cd "$project"
  as_user drydock allow --private registry.drydock.test:8443 \
    http://registry.drydock.test:8080
  run -0 --separate-stderr in_session sh -c "$build"
  [ "$(grep -c '^1 crates$' <<<"$output")" = 2 ] || fail "$output" "$stderr"
  refute_contains "$stderr" "refused"
}
