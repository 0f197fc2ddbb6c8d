# SPDX-License-Identifier: MIT
# Slots of dependency caches, with the image that the bed has: a toolchain of
# the user's own, without packages, has the caches of npm and cargo.  cargo
# itself is tried with DRYDOCK_TEST_TOOLCHAINS=all (registries.bats).
# DRYDOCK_TEST_SECONDS is how long sessions run beside collectors, else 4.

load ../helper
load counter

setup() {
  prepare user
}

teardown() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

# prepare root|user
prepare() {
  bed_setup "$1"
  as_who mkdir "$XDG_CONFIG_HOME/drydock/toolchains"
  as_who tee "$XDG_CONFIG_HOME/drydock/toolchains/probe.json" >/dev/null <<'END'
{
  "caches": [
    {"path": "npm", "variable": "npm_config_cache", "source": "npm"},
    {"path": "cargo/registry", "link": ".cargo/registry", "source": "cargo"}
  ]
}
END
  project_conf <<<'toolchains = probe'
  images_for_toolchains probe
  caches=$XDG_STATE_HOME/drydock/caches
}

# The slots, as "NUMBER STATE".
slots() {
  as_who drydock cache status --json |
    jq -r '.[] | "\(.path | split("/")[-1]) \(.state)"'
}

# registry: a project that depends on $packages packages of a registry on
# loopback, which sessions start with "sh install.sh".  Requests are in
# $project/requests.
registry() {
  packages=6
  ! all_cases || packages=40
  cat >"$project/registry.py" <<'END'
import base64, hashlib, io, json, os, sys, tarfile, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
files = {}
for i in range(int(sys.argv[1])):
    name = f"dep{i}"
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as out:
        for path, data in (("package/package.json", json.dumps(
                {"name": name, "version": "1.0.0"}).encode()),
                ("package/index.js", b"module.exports = 42\n"),
                ("package/data", name.encode() * 20000)):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    tgz = tar.getvalue()
    files[f"/{name}-1.0.0.tgz"] = tgz
    files[f"/{name}"] = json.dumps({"name": name, "dist-tags": {
        "latest": "1.0.0"}, "versions": {"1.0.0": {"name": name,
        "version": "1.0.0", "dist": {
            "tarball": f"http://127.0.0.1:8099/{name}-1.0.0.tgz",
            "integrity": "sha512-" + base64.b64encode(
                hashlib.sha512(tgz).digest()).decode()}}}}).encode()
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        data = files.get(self.path.split("?")[0], b"")
        self.send_response(200 if data else 404)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, format, *args):
        with open("requests", "a") as log:
            log.write(self.path + "\n")
ThreadingHTTPServer(("127.0.0.1", 8099), Handler).serve_forever()
END
  cat >"$project/install.sh" <<'END'
set -eu
python3 registry.py "$1" &
until curl -s --noproxy '*' -o /dev/null http://127.0.0.1:8099/dep0; do
  sleep 0.1
done
rm -rf "/tmp/app" && mkdir /tmp/app && cp package.json /tmp/app && cd /tmp/app
start=$(date +%s%N)
npm install --registry http://127.0.0.1:8099/ --no-audit --no-fund \
  --prefer-offline --loglevel error >/dev/null
echo "$(($(date +%s%N) - start))"
node -p "require(\"dep$(($1 - 1))\")"
END
  jq -n --argjson n "$packages" '{name: "app", version: "1.0.0", dependencies:
    ([range($n) | {key: "dep\(.)", value: "1.0.0"}] | from_entries)}' \
    >"$project/package.json"
  chmod 0644 "$project"/*
  [ "$who" = root ] || chown -R "$BED_UID:$BED_UID" "$project"
}

# tarballs: how many of them the registry was asked for since the last time.
tarballs() {
  grep -c tgz "$project/requests" || true
  rm "$project/requests"
}

@test "npm's cache stays for the next session, and two at once share nothing" {
  local cold warm i
  registry
  run --separate-stderr -0 in_session sh install.sh "$packages"
  cold=${lines[0]}
  assert_equal "${lines[1]}" 42
  assert_equal "$(tarballs)" "$packages"
  assert_equal "$(slots)" "0 free"

  # Two at once: the second one's slot is another one, and cold.
  open_session sh -c 'echo ready; read -r go; sh install.sh "$1"' sh "$packages"
  assert_equal "$(slots)" "0 taken"
  run --separate-stderr -0 in_session sh install.sh "$packages"
  assert_equal "${lines[1]}" 42
  assert_equal "$(tarballs)" "$packages"
  assert_equal "$(slots)" "0 taken
1 free"
  echo go >&"$session_in"
  close_session
  mapfile -t lines < <(tail -n 2 "$session_lines")
  warm=${lines[0]}
  assert_equal "${lines[1]}" 42
  # The one request is the script's own.
  assert_equal "$(tarballs)" 0
  echo "# npm install of $packages packages: cold $((cold / 1000000)) ms, warm" \
    "$((warm / 1000000)) ms" >&3
  # No inode is in both.
  for i in 0 1; do
    find "$caches"/*/"$i"/data -type f -printf '%i\n' | sort -u \
      >"$BATS_TEST_TMPDIR/inodes.$i"
    [ -s "$BATS_TEST_TMPDIR/inodes.$i" ]
  done
  assert_equal "$(comm -12 "$BATS_TEST_TMPDIR"/inodes.[01])" ""
}

# blob_of NAME: where npm's cache has a package of the project's lock.
blob_of() {
  local hex
  hex=$(jq -r --arg name "node_modules/$1" '.packages[$name].integrity' \
    "$project/package-lock.json" | sed s/^sha512-// | base64 -d |
    od -An -v -tx1 | tr -d ' \n')
  printf 'content-v2/sha512/%s/%s/%s\n' "${hex:0:2}" "${hex:2:2}" "${hex:4}"
}

@test "a new slot is seeded by the lock from the user's cache, and verified" {
  local host=$BATS_TEST_TMPDIR/host other=$BATS_TEST_TMPDIR/other blob last
  registry
  echo 'cp package-lock.json "$OLDPWD"' >>"$project/install.sh"
  run --separate-stderr -0 in_session sh install.sh "$packages"
  # What npm on the host would have in its cache.
  make_project "$host"
  as_who cp -R "$(echo "$caches"/*/0/data/npm/_cacache)" "$host"
  make_project "$other"
  cp "$project"/package*.json "$other"
  chmod 0644 "$other"/*
  project_conf "$other" <<<'toolchains = probe'
  # One blob of it has other bytes.
  last=dep$((packages - 1))
  blob=$(blob_of "$last")
  truncate -s 10 "$host/_cacache/$blob"
  run --separate-stderr -0 as_who env npm_config_cache="$host" \
    drydock shell "$other" -- sh -c 'cp package*.json /tmp && cd /tmp &&
      npm ci --offline --no-audit --no-fund --loglevel error 2>&1 |
      grep -o ENOTCACHED | sort -u' </dev/null
  assert_contains "$stderr" "start with $((packages - 1)) files"
  assert_contains "$stderr" "warning"
  assert_equal "$output" ENOTCACHED

  # Whole, it is enough to install without a registry.
  rm -r "$host/_cacache"
  as_who cp -R "$(echo "$caches"/*-project-*/0/data/npm/_cacache)" "$host"
  rm -r "$caches"/*-other-contained
  run --separate-stderr -0 as_who env npm_config_cache="$host" \
    drydock shell "$other" -- sh -c 'cp package*.json /tmp && cd /tmp &&
      npm ci --offline --no-audit --no-fund --loglevel error >/dev/null &&
      node -p "require(\"$1\")"' sh "$last" </dev/null
  assert_contains "$stderr" "start with $packages files"
  assert_equal "$output" 42

  run --separate-stderr -0 as_who drydock cache verify
  assert_equal "$output" "$((2 * packages)) files verified"
  blob=$(echo "$caches"/*-other-contained/0/data/npm/_cacache)/$blob
  # What a disk does not give is not known to be bad.
  run --separate-stderr -1 as_who strace -qq -o /dev/null -P "$blob" \
    -e inject=pread64:error=EIO drydock cache verify
  assert_contains "$stderr" "Input/output error"
  [ -e "$blob" ]
  echo x >"$blob"
  run --separate-stderr -1 as_who drydock cache verify
  assert_contains "${lines[0]}" "removed: "
  [ ! -e "$blob" ]
  run --separate-stderr -0 as_who drydock cache verify --json
  assert_equal "$(jq -c . <<<"$output")" \
    "{\"removed\":[],\"verified\":$((2 * packages - 1))}"
}

# In each slot and home; the session's home is looked at while it is there.
foreign_files() {
  local uid
  uid=$(as_who id -u)
  find "$XDG_STATE_HOME/drydock" ! -uid "$uid" -printf '%p %u\n' |
    grep -v '/sidecar/\|/egress/' || true
}

use_caches() {
  as_who drydock shell "$1" "$project" -- sh -c '
    npm config get cache
    mkdir -p ~/.cargo/registry/index && touch ~/.cargo/registry/index/x
    touch "$npm_config_cache/y" ~/z
    readlink ~/.cargo/registry' </dev/null
}

belong_to_caller() {
  local mode slot
  for mode; do
    run --separate-stderr -0 use_caches "--mode=$mode"
    assert_equal "$output" "/var/lib/drydock/cache/npm
/var/lib/drydock/cache/cargo/registry"
    slot=$(echo "$caches"/*-"$mode"/0/data)
    [ -e "$slot/cargo/registry/index/x" ]
    assert_equal "$(stat -c %a "$slot")" 700
    assert_equal "$(foreign_files)" ""
  done
}

@test "caches belong to the caller, contained and dood" {
  belong_to_caller contained dood
}

@test "caches belong to root, too" {
  rm -rf "$XDG_CONFIG_HOME" "$XDG_STATE_HOME" "$project"
  prepare root
  belong_to_caller contained
  ! all_cases || belong_to_caller dood
}

@test "the plan has the slot; without toolchains or with cache = no there is none" {
  # prove uses it up.
  export DRYDOCK_MEMORY=256m
  open_session sh -c 'echo ready; cat'
  id=$(ls "$XDG_STATE_HOME/drydock/sessions")
  jq -e --arg source "$(echo "$caches"/*/0/data)" '.services.agent.volumes[] |
    select(.target == "/var/lib/drydock/cache") | .source == $source' \
    "$XDG_STATE_HOME/drydock/sessions/$id/plan.json"
  assert_equal "$(as_who drydock exec "$id" -- \
    printenv npm_config_cache </dev/null)" /var/lib/drydock/cache/npm
  as_who drydock prove "$id" >"$BATS_TEST_TMPDIR/proof" ||
    fail "$(grep -v held "$BATS_TEST_TMPDIR/proof")"
  close_session
  run --separate-stderr -0 as_who drydock shell --cache no "$project" -- \
    sh -c 'ls -d /var/lib/drydock/cache ~/.cargo 2>&1; env' </dev/null
  assert_contains "$output" "'/var/lib/drydock/cache': No such file"
  refute_contains "$output" npm_config_cache
  run --separate-stderr -0 as_who drydock shell --toolchains '' "$project" -- \
    printenv npm_config_cache </dev/null || [ "$status" = 1 ]
  assert_equal "$output" ""
  assert_equal "$(slots)" "0 free"
}

@test "a stopped session keeps its slot, and starts again with it" {
  local slot
  counter_setup
  images_for_toolchains probe counter
  open_counter
  slot=$(echo "$caches"/*/0)
  touch "$slot/data/npm/mark"
  docker kill "drydock-$id-agent-1" >/dev/null
  wait_for "a stopped session" test_state stopped
  assert_equal "$(slots)" "0 taken"
  run --separate-stderr -0 as_who drydock cache gc --cache-size 1
  assert_equal "$output" ""
  in_session true
  assert_equal "$(slots)" "0 taken
1 free"
  on_terminal 'expect:agent resumed' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
  assert_equal "$(as_who drydock exec "$id" -- \
    ls /var/lib/drydock/cache/npm </dev/null)" mark

  # The user removed the slot while the session was stopped.
  docker kill "drydock-$id-agent-1" >/dev/null
  wait_for "a stopped session" test_state stopped
  rm -r "$slot"
  run -0 on_terminal 'expect:agent resumed' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
  assert_contains "$output" "dependency caches were removed"
  assert_equal "$(cut -d ' ' -f 1 "$slot/owner")" "$id"
  as_who drydock exec "$id" -- touch /var/lib/drydock/cache/new </dev/null
  [ -e "$slot/data/new" ]
  as_who drydock stop "$id"
  assert_equal "$(slots)" "0 free
1 free"
}

@test "without a slot a session starts all the same, and says why" {
  as_who sh -c 'echo x >"$1"' sh "$caches"
  run --separate-stderr -0 in_session sh -c 'npm config get cache; ls ~'
  assert_contains "$stderr" "the session has no cache of an earlier one, and keeps none: open caches: Not a directory"
  refute_contains "$output" /var/lib/drydock
}

@test "gc removes slots by age and by size, and never one in use" {
  in_session sh -c 'head -c 3000000 /dev/zero >"$npm_config_cache/x"'
  open_session sh -c 'head -c 3000000 /dev/zero >"$npm_config_cache/x"
    echo ready; cat'
  in_session sh -c 'head -c 3000000 /dev/zero >"$npm_config_cache/x"'
  run --separate-stderr -0 as_who drydock cache gc --dry-run --cache-size 4m
  assert_contains "$output" "/1 (3 MiB) would be removed"
  run --separate-stderr -0 as_who drydock cache gc --json --cache-size 4m
  assert_equal "$(jq -c '[.removed[] | [(.path | split("/")[-1]), .why]], .failed' \
    <<<"$output")" '[["1","size"]]
0'
  assert_equal "$(slots)" "0 taken"
  run --separate-stderr -0 as_who drydock cache gc --cache-size 1
  assert_equal "$output" ""
  close_session
  # A launch does the same, and takes a slot before or after.
  touch -d '40 days ago' "$caches"/*/0/owner
  run --separate-stderr -0 as_who drydock shell --toolchains '' "$project" \
    -- true </dev/null
  assert_contains "$stderr" "is removed: it was not used for cache_days"
  assert_equal "$(slots)" ""
  assert_equal "$(ls "$XDG_STATE_HOME/drydock/trash")" ""
}

# use_slots I: sessions one after the other until the deadline.  Each makes a
# file in its slot, and it alone changes it.  The last one's launchers are killed.
use_slots() {
  local n out limit=()
  for ((n = 0; n < 2 || SECONDS < deadline; n++)); do
    out=$BATS_TEST_TMPDIR/out.$1.$n
    [ "$1" != 7 ] || limit=(timeout --signal=KILL "$((RANDOM % 4)).$((RANDOM % 10))")
    as_who "${limit[@]}" drydock shell "$project" -- sh -c '
      cd "$npm_config_cache" || exit
      rm -f mine
      set -C
      echo "$1" >mine
      made=$(stat -c %i mine)
      for i in $(seq "$2"); do
        sleep 0.05
        [ "$(cat mine; stat -c %i mine)" = "$1
$made" ] || exit 3
      done
      echo whole' sh "$1.$n" "$((RANDOM % 30))" \
      </dev/null >"$out" 2>&1 || echo "status $?" >>"$out"
  done
}

# collect_slots: removes each slot that no session has, again and again.
collect_slots() {
  while [ ! -e "$BATS_TEST_TMPDIR/over" ]; do
    as_who drydock gc >/dev/null 2>&1 || true
    as_who drydock cache gc --cache-size 1 || echo "status $?"
  done >"$BATS_TEST_TMPDIR/collected.$1" 2>&1
}

@test "collectors beside sessions that start, run and end touch no slot of theirs" {
  local i users=() collectors=() deadline
  deadline=$((SECONDS + ${DRYDOCK_TEST_SECONDS:-4}))
  for i in 0 1; do
    collect_slots "$i" 3>&- &
    collectors+=("$!")
  done
  for i in 0 1 2 3 $(! all_cases || echo 4 5 6) 7; do
    use_slots "$i" 3>&- &
    users+=("$!")
  done
  wait "${users[@]}"
  touch "$BATS_TEST_TMPDIR/over"
  wait "${collectors[@]}"
  # Of those whose launcher lived, each ended well.  A busy engine may not
  # confirm the end in time, which drydock then says.
  for i in "$BATS_TEST_TMPDIR"/out.[0-6].*; do
    if ! grep -x whole "$i" >/dev/null || grep '^status' "$i"; then
      fail "${i##*/}" "$(<"$i")"
    fi
  done
  # A killed launcher's session may have ended by itself, and never by status 3.
  run ! grep -l '^status 3$' "$BATS_TEST_TMPDIR"/out.*
  echo "# $(grep -lx whole "$BATS_TEST_TMPDIR"/out.* | wc -l) sessions," \
    "$(cat "$BATS_TEST_TMPDIR"/collected.? | wc -l) slots removed" >&3
  run ! grep -v ' removed$' "$BATS_TEST_TMPDIR"/collected.?
  as_who drydock stop --all --force >/dev/null 2>&1 || true
  as_who drydock cache gc --cache-size 1
  assert_equal "$(slots)" ""
}
