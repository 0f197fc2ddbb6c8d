# SPDX-License-Identifier: MIT
# Real cargo, go and pip in contained sessions: through the proxy, and with the
# cache slots of their toolchains.

load ../helper
load registry
load toolchain-images

# A download of 500 MB.
if [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ]; then
  export DRYDOCK_TOOLCHAINS="go python rust"
fi

setup() {
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ] ||
    skip "the toolchains are a download of 500 MB, in check --full"
  bed_setup user
  toolchains_adopt
  caches=$XDG_STATE_HOME/drydock/caches
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

# requests LOG PATTERN: how many requests of it there were.
requests() {
  grep -c "$2" "$project/$1" || true
}

# No file of a slot is another one's.
assert_nothing_shared() {
  local dir
  for dir in "$@"; do
    [ -n "$(find "$dir" -type f -print -quit)" ]
    find "$dir" -type f -printf '%i\n' | sort -u
  done | sort | uniq -d >"$BATS_TEST_TMPDIR/shared"
  assert_equal "$(<"$BATS_TEST_TMPDIR/shared")" ""
}

@test "cargo's slot: cold, warm, two at once, another project, offline" {
  local other=$BATS_TEST_TMPDIR/other host=$BATS_TEST_TMPDIR/host
  local cold warm names begin whole=()
  mapfile -t names < <(printf 'dep%d\n' {0..199})
  make_crates "$project/registry" http://127.0.0.1:8099 250000 \
    "${names[@]}" fresh
  crate "$project" "${names[@]}"
  mirror "$project" http://127.0.0.1:8099/index
  loopback "$project"
  local fetch='. ./serve.sh "$1" && timed cargo fetch -q'

  begin=$EPOCHREALTIME
  run -0 --separate-stderr in_session env AWAY=yes sh -euc "$fetch" sh cold
  whole+=($(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)))
  cold=$output
  assert_equal "$(requests cold crates/)" 200
  begin=$EPOCHREALTIME
  run -0 --separate-stderr in_session env AWAY=yes sh -euc "$fetch" sh warm
  whole+=($(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)))
  warm=$output
  # The one request is the script's own.
  assert_equal "$(cat "$project/warm")" /
  echo "# cargo fetch of 200 crates, 50 MB, over 100 Mbit/s: cold $cold ms," \
    "warm $warm ms; whole sessions: ${whole[0]} ms, ${whole[1]} ms" >&3

  # Two at once want a crate that neither has.  The second one's slot is cold.
  crate "$project" "${names[@]}" fresh
  open_session sh -euc '. ./serve.sh "$1"; echo ready; read -r _
    timed cargo fetch -q' sh first
  in_session sh -euc '. ./serve.sh "$1"; touch started
    until [ -e go ]; do sleep 0.05; done; timed cargo fetch -q' sh second \
    >"$BATS_TEST_TMPDIR/second" 2>&1 3>&- {session_in}>&- &
  local second=$!
  wait_for "the second session" test -e "$project/started"
  touch "$project/go"
  echo go >&"$session_in"
  wait "$second" || fail "$(<"$BATS_TEST_TMPDIR/second")"
  close_session
  assert_equal "$(requests first crates/) $(requests second crates/)" "1 201"
  assert_nothing_shared "$caches"/*/[01]/data

  # Another project: its slot starts with what the host's cargo has.
  install -d -o "$BED_UID" "$host" "$other"
  as_user cp -R "$(echo "$caches"/*/0/data/cargo/registry)" "$host"
  cp -R "$project"/{.cargo,src,Cargo.*} "$other"
  chown -R "$BED_UID:$BED_UID" "$other"
  run --separate-stderr as_user env CARGO_HOME="$host" drydock shell "$other" \
    -- sh -c 'cargo fetch -q --offline && cargo run -q --offline' </dev/null
  [ "$status: $output" = "0: 201 crates" ] || fail "$output" "$stderr"
  # And the index's entries with its configuration.
  assert_contains "$stderr" "start with 403 files (48 MiB)"
  assert_nothing_shared "$host" "$caches"/*/[01]/data

  # Without that it has no crate.
  rm -r "$caches"/*-other-*
  run -101 --separate-stderr as_user drydock shell "$other" -- \
    cargo fetch --offline </dev/null
}

@test "go's slot: cold, warm, another project, offline" {
  local other=$BATS_TEST_TMPDIR/other host=$BATS_TEST_TMPDIR/host cold warm
  loopback "$project"
  python3 - "$project" <<'END'
import os, sys, zipfile
top = sys.argv[1]
for i in range(20):
    name, version = f"example.test/dep{i}", "v1.0.0"
    at = f"{top}/registry/{name}/@v"
    os.makedirs(at)
    mod = f"module {name}\n\ngo 1.19\n"
    for suffix, text in (("info", f'{{"Version": "{version}"}}'), ("mod", mod)):
        with open(f"{at}/{version}.{suffix}", "w") as f:
            f.write(text)
    with zipfile.ZipFile(f"{at}/{version}.zip", "w") as z:
        z.writestr(f"{name}@{version}/go.mod", mod)
        z.writestr(f"{name}@{version}/dep.go",
                   f"package dep{i}\n\nconst N = 1\n")
with open(top + "/go.mod", "w") as f:
    f.write("module example.test/app\n\ngo 1.19\n\nrequire (\n" + "".join(
        f"\texample.test/dep{i} v1.0.0\n" for i in range(20)) + ")\n")
with open(top + "/app.go", "w") as f:
    f.write('package main\n\nimport (\n\t"fmt"\n' + "".join(
        f'\t"example.test/dep{i}"\n' for i in range(20)) +
        ")\n\nfunc main() { fmt.Println(" + "+".join(
        f"dep{i}.N" for i in range(20)) + ', "modules") }\n')
END
  chmod -R a+rX "$project"
  chown -R "$BED_UID:$BED_UID" "$project"
  local build='. ./serve.sh "$1"
    export GOPROXY=http://127.0.0.1:8099 GOSUMDB=off GOFLAGS=-mod=mod
    timed go build -o /tmp/app . && /tmp/app'
  run -0 --separate-stderr in_session sh -euc "$build" sh cold
  assert_equal "${lines[1]}" "20 modules"
  cold=${lines[0]}
  assert_equal "$(requests cold 'zip$')" 20
  run -0 --separate-stderr in_session sh -euc "$build" sh warm
  assert_equal "${lines[1]}" "20 modules"
  warm=${lines[0]}
  assert_equal "$(cat "$project/warm")" /
  echo "# go build with 20 modules: cold $cold ms, warm $warm ms" >&3

  install -d -o "$BED_UID" "$host" "$other"
  as_user cp -R "$(echo "$caches"/*/0/data/go/mod)" "$host"
  cp "$project"/{app.go,go.mod,go.sum} "$other"
  chown -R "$BED_UID:$BED_UID" "$other"
  run --separate-stderr as_user env GOMODCACHE="$host/mod" \
    drydock shell "$other" -- sh -c 'export GOPROXY=off GOSUMDB=off
      go build -o /tmp/app . && /tmp/app' </dev/null
  [ "$status: $output" = "0: 20 modules" ] || fail "$output" "$stderr"
  assert_contains "$stderr" "start with 40 files"
  assert_nothing_shared "$host" "$caches"/*/0/data
  # Without that it has no module.
  rm -rf "$caches"/*-other-*
  run -1 --separate-stderr as_user drydock shell "$other" -- \
    sh -c 'GOPROXY=off GOSUMDB=off go build -o /tmp/app .' </dev/null
  assert_contains "$stderr" "module lookup disabled by GOPROXY=off"
}

@test "pip's slot: cold and warm" {
  local cold warm
  loopback "$project"
  python3 - "$project/registry" <<'END'
import os, random, sys, zipfile
for i in range(20):
    name = f"dep{i}"
    at = f"{sys.argv[1]}/simple/{name}"
    os.makedirs(at)
    wheel = f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info/"
    with zipfile.ZipFile(f"{at}/{wheel}", "w") as z:
        z.writestr(f"{name}.py", "N = 1\n")
        z.writestr(f"{name}.data/data/{name}",
                   random.Random(i).randbytes(250000))
        z.writestr(info + "METADATA",
                   f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        z.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\n"
                   "Root-Is-Purelib: true\nTag: py3-none-any\n")
        z.writestr(info + "RECORD", "".join(
            f"{f},,\n" for f in z.namelist()) + info + "RECORD,,\n")
    with open(f"{at}/index.html", "w") as f:
        f.write(f'<a href="{wheel}">{wheel}</a>')
END
  printf 'dep%d==1.0\n' {0..19} >"$project/requirements.txt"
  chmod -R a+rX "$project"
  chown -R "$BED_UID:$BED_UID" "$project"
  local install='. ./serve.sh "$1"
    timed python3 -m pip install -q --disable-pip-version-check \
      --index-url http://127.0.0.1:8099/simple/ --target /tmp/deps \
      --trusted-host 127.0.0.1:8099 \
      -r requirements.txt
    PYTHONPATH=/tmp/deps python3 -c "import dep19; print(dep19.N)"'
  run -0 --separate-stderr in_session sh -euc "$install" sh cold
  assert_equal "${lines[1]}" 1
  cold=${lines[0]}
  assert_equal "$(requests cold 'whl$')" 20
  run -0 --separate-stderr in_session sh -euc "$install" sh warm
  assert_equal "${lines[1]}" 1
  warm=${lines[0]}
  assert_equal "$(requests warm 'whl$')" 0
  echo "# pip install of 20 wheels, 5 MB: cold $cold ms, warm $warm ms" >&3
}
