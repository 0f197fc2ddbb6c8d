# SPDX-License-Identifier: MIT
# Real cargo and a patched dependency, in contained sessions and on the host:
# each way to build says "patched", or fails with the reason.

load ../helper
load registry
load toolchain-images
load patching

# The same as in registries.bats: its layers are built once.
if [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ]; then
  export DRYDOCK_TOOLCHAINS="go python rust"
fi

both="patched 1.0.0, original 1.0.0"

setup() {
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ] ||
    skip "the toolchains are a download of 500 MB, in check --full"
  bed_setup user
  toolchains_adopt
  patch_setup
  loopback "$project"
  greeter "$project"
  ways
  # Real cargo fills its own caches.
  rm -r "$host"
  install -d -o "$BED_UID" -g "$BED_UID" "$host"
}

teardown() {
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ] || return 0
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

# ways: $project/cargo.sh starts the registry and sets cargo up for it; ways.sh
# builds in each way and prints "WAY: STATUS LAST-LINE", and what is wrong.
ways() {
  cat >"$project/cargo.sh" <<'END'
set -- /tmp/requests
. ./serve.sh
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} CARGO_TERM_COLOR=never
mkdir -p "$CARGO_HOME"
printf '%s\n' '[source.crates-io]' 'replace-with = "other"' \
  '[source.other]' 'registry = "sparse+http://127.0.0.1:8099/index/"' \
  >"$CARGO_HOME/config.toml"
END
  cat >"$project/ways.sh" <<'END'
top=$PWD
. ./cargo.sh
# Not in /tmp, where cargo would find a workspace above a project below it.
mkdir /tmp/before && cp Cargo.lock Cargo.toml /tmp/before
n=0
way() {
  local way=$1 status=0
  shift
  "$@" >/tmp/out 2>/tmp/err || status=$?
  echo "$way: $status $(tail -n 1 /tmp/out)"
  [ "$status" = 0 ] || sed 's/^/  /' /tmp/err
  for file in Cargo.lock Cargo.toml; do
    cmp "$top/$file" "/tmp/before/$file" || cat "$top/$file"
  done
  # The next way compiles everything.
  n=$((n + 1))
  export CARGO_TARGET_DIR=/tmp/target.$n
}
installed() {
  cargo install --root "/tmp/root.$n" "$@" && "/tmp/root.$n/bin/app"
}
vendored() {
  cargo vendor --locked --respect-source-config /tmp/vendor >/tmp/vendor.toml &&
    cargo run --locked --offline --config /tmp/vendor.toml
}
resolved() {
  rm Cargo.lock && cargo run
}
# A session's target directory is the project's, where the original was built.
way "locked, offline" cargo run --locked --offline
way "not locked" cargo run
way "offline" cargo run --offline
way "locked" cargo run --locked
way "release" cargo run --release --locked --offline
cd sub
way "sub-directory" cargo run
way "sub-directory, locked, offline" cargo run --locked --offline
cd /tmp
way "elsewhere" cargo run --manifest-path "$top/Cargo.toml"
way "elsewhere, locked, offline" cargo run --locked --offline \
  --manifest-path "$top/Cargo.toml"
way "install elsewhere" installed --path "$top"
cd "$top"
way "install" installed --path .
way "install, locked, offline" installed --locked --offline --path .
way "update" sh -c 'cargo update && cargo run --locked'
way "update --precise" sh -c 'cargo update greet --precise 1.0.1; cargo run'
way "new lock" resolved
way "vendor" vendored
END
  chmod a+r "$project"/*.sh
}

# all_ways: what it prints when each of them has the patched copy.
all_ways() {
  local way
  sed -n 's/^way "\([^"]*\)".*/\1/p' "$project/ways.sh" |
    while IFS= read -r way; do
      printf '%s\n' "$way: 0 $both"
    done
}

# caches_filled: each has all crates, also greet 1.0.1 for whoever would take
# it.
caches_filled() {
  local script='. ./cargo.sh
    cargo run --locked
    mkdir /tmp/copy && cp -R Cargo.* src /tmp/copy && cd /tmp/copy && cargo update greet && cargo fetch'
  run -0 --separate-stderr in_shell "$project" "$script"
  assert_equal "$output" "original 1.0.0, original 1.0.0"
  run -0 --separate-stderr on_host "$project" "$script"
  assert_equal "$output" "original 1.0.0, original 1.0.0"
  contents >"$BATS_TEST_TMPDIR/contents"
  assert_equal "$(grep -c 'greet-1.0.1.crate$' "$BATS_TEST_TMPDIR/contents")" 2
}

caches_unchanged() {
  contents | diff "$BATS_TEST_TMPDIR/contents" -
}

# another DIR: a second project of the user's, with what runs cargo.
another() {
  install -d -o "$BED_UID" -g "$BED_UID" "$1"
  cp -R "$project"/{registry,serve.*,cargo.sh} "$1"
  greeter "$1"
}

@test "each way to build has the patched copy, in a session and on the host" {
  caches_filled
  patch_greet "$project"
  patch_in "$project" check
  caches_unchanged
  run --separate-stderr in_shell "$project" '. ./ways.sh'
  [ "$status: $output" = "0: $(all_ways)" ] || fail "$output" "$stderr"
  refute_contains "$stderr" "drydock patch"
  run --separate-stderr on_host "$project" '. ./ways.sh'
  [ "$status: $output" = "0: $(all_ways)" ] || fail "$output" "$stderr"
  patch_in "$project" check
  caches_unchanged
}

@test "a sibling with the same dependency builds the original" {
  local sibling=$BATS_TEST_TMPDIR/sibling build='. ./cargo.sh; cargo run'
  caches_filled
  patch_greet "$project"
  another "$sibling"
  says "$both" in_shell "$project" "$build"
  # Its slot is new: it begins with what the host and the patched project have.
  says "original 1.0.0, original 1.0.0" in_shell "$sibling" "$build --locked"
  says "original 1.0.0, original 1.0.0" in_shell "$sibling" \
    "$build --locked --offline --target-dir /tmp/target"
  says "$both" on_host "$project" "$build --target-dir /tmp/target"
  says "original 1.0.0, original 1.0.0" on_host "$sibling" \
    "$build --locked --offline --target-dir /tmp/target"
  [ ! -e "$sibling/.drydock" ]
}

@test "a fresh clone builds the patched copy, or stops" {
  local clone=$BATS_TEST_TMPDIR/clone build='. ./cargo.sh; cargo run'
  caches_filled
  patch_greet "$project"
  as_user sh -euc 'cd "$1" && echo target >.gitignore && git init -q &&
    git add . && git -c user.name=n -c user.email=n@drydock.test \
      commit -q -m patch' sh "$project"
  clone_of "$project" "$clone"
  [ ! -e "$clone/.drydock/patched" ]
  # cargo itself stops.
  run -101 --separate-stderr on_host "$clone" "$build"
  assert_contains "$stderr" "$(copy_of "$project")/Cargo.toml"
  run -101 --separate-stderr on_host "$clone" "$build --locked --offline"
  assert_contains "$stderr" "$(copy_of "$project")/Cargo.toml"
  # A launch makes the copy.
  says "$both" in_shell "$clone" "$build --locked"
  says "$both" on_host "$clone" "$build --locked --target-dir /tmp/target"
  rm -r "$clone"
  clone_of "$project" "$clone"
  patch_in "$clone" apply
  says "$both" on_host "$clone" "$build --locked --offline"
  assert_equal "$(as_user git -C "$clone" status --porcelain)" ""
  assert_equal "$(as_user git -C "$project" status --porcelain)" ""
}

@test "what is applied again is not built again, and another patch is" {
  local build='. ./cargo.sh; cargo build 2>&1; cargo run --locked'
  caches_filled
  patch_greet "$project"
  says "$both" in_shell "$project" "$build"
  find "$project" ! -path '*/target*' -printf '%p %T@ %C@ %i\n' |
    sort >"$BATS_TEST_TMPDIR/before"
  run -0 --separate-stderr patch_in "$project" apply
  find "$project" ! -path '*/target*' -printf '%p %T@ %C@ %i\n' |
    sort | diff "$BATS_TEST_TMPDIR/before" -
  says "$both" in_shell "$project" "$build"
  refute_contains "$output" Compiling
  # The target directory has the former copy.
  patch_greet "$project" again
  says "again 1.0.0, original 1.0.0" in_shell "$project" "$build"
  says "again 1.0.0, original 1.0.0" in_shell "$project" \
    '. ./cargo.sh; cargo run --locked --offline --target-dir /tmp/target'
  # Nor is it what an agent made of the copy and built.
  says "changed 1.0.0, original 1.0.0" in_shell "$project" "cd $(copy_of "$project")
    chmod u+w src/lib.rs && sed -i s/again/changed/ src/lib.rs
    cd \"\$OLDPWD\" && $build"
  assert_contains "$stderr" "$(copy_of "$project")/src/lib.rs: changed"
  patch_in "$project" apply
  says "again 1.0.0, original 1.0.0" in_shell "$project" "$build"
}

@test "cargo moves the lock: the session's end tells, and no other one starts" {
  local build='. ./cargo.sh; cargo run' told
  caches_filled
  patch_greet "$project"
  cp "$project"/Cargo.* "$BATS_TEST_TMPDIR"
  # Inside, cargo warns and goes on.
  says "original 1.0.1, original 1.0.0" in_shell "$project" \
    "sed -i 's/^greet = .*/greet = \"1.0.1\"/' Cargo.toml; $build"
  assert_contains "$stderr" "was not used in the crate graph"
  told=$(grep '^drydock: ' <<<"$stderr")
  assert_contains "$told" 1.0.1
  assert_contains "$told" 'drydock patch '
  run -77 --separate-stderr in_shell "$project" "$build"
  assert_equal "$output" ""
  assert_contains "$stderr" 1.0.1
  assert_contains "$stderr" 'drydock patch '
  run -1 --separate-stderr patch_in "$project" check
  assert_contains "$output$stderr" 1.0.1
  cat "$BATS_TEST_TMPDIR/Cargo.toml" >"$project/Cargo.toml"
  cat "$BATS_TEST_TMPDIR/Cargo.lock" >"$project/Cargo.lock"
  says "$both" in_shell "$project" "$build --locked"
}

@test "what cargo adds to the manifest stays, and so does the patch" {
  local build='. ./cargo.sh; cargo run --locked'
  caches_filled
  patch_greet "$project"
  says "$both" in_shell "$project" '. ./cargo.sh
    cargo add --dev greet && cargo add --build other && cargo run'
  refute_contains "$(grep '^drydock: ' <<<"$stderr")" patch
  patch_in "$project" check
  says "$both" in_shell "$project" "$build"
  patch_in "$project" apply
  says "$both" in_shell "$project" "$build"
  patch_in "$project" remove greet
  assert_equal "$(tail -n 9 "$project/Cargo.toml")" "[dependencies]
greet = \"1\"
other = \"1\"

[dev-dependencies]
greet = \"1\"

[build-dependencies]
other = \"1\""
  says "original 1.0.0, original 1.0.0" in_shell "$project" "$build"
}

@test "a cached crate with other bytes is not what is patched" {
  local cached slot
  caches_filled
  cached=$(echo "$host"/registry/cache/*/greet-1.0.0.crate)
  slot=$(echo "$XDG_STATE_HOME"/drydock/caches/*/0/data)
  cp "$cached" "$BATS_TEST_TMPDIR/crate"
  cp "$(dirname "$cached")/other-1.0.0.crate" "$cached"
  # The slot has the right ones.
  patch_greet "$project"
  says "$both" in_shell "$project" '. ./cargo.sh; cargo run --locked'
  rm -r "${project:?}/.drydock/patched"
  cp "$cached" "$(echo "$slot"/cargo/registry/cache/*/greet-1.0.0.crate)"
  run ! --separate-stderr patch_in "$project" apply
  assert_contains "$stderr" "greet"
  [ ! -e "$project/$(copy_of "$project")/Cargo.toml" ]
  cp "$BATS_TEST_TMPDIR/crate" "$cached"
  patch_in "$project" apply
  says "$both" in_shell "$project" '. ./cargo.sh; cargo run --locked'
}

@test "a vendored project has the patched copy, vendored before or after" {
  local vendor='. ./cargo.sh
    mkdir -p .cargo
    cargo vendor --locked --respect-source-config >/tmp/config
    cp /tmp/config .cargo/config.toml'
  # From here on there is no registry.
  local build='cargo run --locked --offline'
  run -0 --separate-stderr in_shell "$project" "$vendor"
  says "original 1.0.0, original 1.0.0" in_shell "$project" "$build"
  cp "$project"/Cargo.* "$BATS_TEST_TMPDIR"
  patch_greet "$project"
  says "$both" in_shell "$project" "$build"
  says "$both" in_shell "$project" 'cargo run --target-dir /tmp/target'
  rm -r "${project:?}"/{.cargo,vendor}
  run -0 --separate-stderr in_shell "$project" "$vendor"
  [ ! -e "$project/vendor/greet" ]
  patch_in "$project" check
  says "$both" in_shell "$project" "$build"
  says "$both" in_shell "$project" 'cargo run --target-dir /tmp/target'
  patch_in "$project" remove greet
  cmp "$project/Cargo.toml" "$BATS_TEST_TMPDIR/Cargo.toml"
  cmp "$project/Cargo.lock" "$BATS_TEST_TMPDIR/Cargo.lock"
  # cargo itself stops.
  run -101 --separate-stderr in_shell "$project" "$build"
  assert_contains "$stderr" greet
}

# workspace: $project becomes a virtual one of two members, which name the crate
# in different ways, beside a patch of the user's own; all lines end in CRLF.
workspace() {
  local name
  rm -r "$project"/{Cargo.*,src,sub}
  printf '%s\r\n' '# All of it' '[workspace]' 'members = ["one", "two"]' \
    'resolver = "2"' '' '[patch.crates-io]' \
    'other = { path = "other" } # ours' '# the end' >"$project/Cargo.toml"
  for name in one two other; do
    mkdir -p "$project/$name/src"
    printf '%s\r\n' '[package]' "name = \"$name\"" 'version = "1.0.0"' \
      'edition = "2021"' >"$project/$name/Cargo.toml"
  done
  printf '%s\r\n' '[dependencies]' 'other = "1"' \
    'hello = { package = "greet", version = "1", features = ["loud"] }' \
    >>"$project/one/Cargo.toml"
  printf '%s\r\n' '[dependencies]' 'greet = "1"' \
    'old = { package = "greet", version = "0.9" }' >>"$project/two/Cargo.toml"
  printf '%s\n' 'fn main() {' '    hello::loud();' \
    '    println!("one {} {}", hello::words(), other::words())' '}' \
    >"$project/one/src/main.rs"
  echo 'fn main() { println!("two {} {}", greet::words(), old::words()) }' \
    >"$project/two/src/main.rs"
  echo "pub fn words() -> &'static str { \"own\" }" >"$project/other/src/lib.rs"
  chown -R "$BED_UID:$BED_UID" "$project"
}

@test "a workspace's members have the patched copy, and remove gives it back" {
  local script
  workspace
  run -0 --separate-stderr in_shell "$project" '. ./cargo.sh
    cargo generate-lockfile && cargo update greet@1.0.1 --precise 1.0.0
    sed -i "s/\$/\r/" Cargo.lock && cargo run --locked -p one'
  assert_equal "$output" "one original 1.0.0 own"
  cp "$project"/Cargo.* "$BATS_TEST_TMPDIR"
  patch_greet "$project"
  script='. ./cargo.sh
    cargo run -p one --locked --offline
    cargo run -p two
    cd one && cargo run
    cd /tmp && cargo run --manifest-path "$top/two/Cargo.toml" --locked
    cargo install --path "$top/one" --root /tmp/root && /tmp/root/bin/one
    cargo install --path "$top/two" --root /tmp/root --locked
    /tmp/root/bin/two'
  run --separate-stderr in_shell "$project" "top=\$PWD; $script"
  [ "$status: $output" = "0: one patched 1.0.0 own
two patched 1.0.0 original 0.9.0
one patched 1.0.0 own
two patched 1.0.0 original 0.9.0
one patched 1.0.0 own
two patched 1.0.0 original 0.9.0" ] || fail "$status: $output" "$stderr"
  patch_in "$project" check

  # A member is not where it is patched.
  as_user cp "$project/Cargo.lock" "$project/one"
  run ! --separate-stderr patch_in "$project/one" start greet@1.0.0
  assert_contains "$stderr" "$project/Cargo.toml is the root of a workspace"
  [ ! -e "$project/one/.drydock" ]
  rm "$project/one/Cargo.lock"

  patch_in "$project" remove greet
  cmp "$project/Cargo.toml" "$BATS_TEST_TMPDIR/Cargo.toml"
  cmp "$project/Cargo.lock" "$BATS_TEST_TMPDIR/Cargo.lock"
  says "one original 1.0.0 own" in_shell "$project" \
    '. ./cargo.sh; cargo run --locked -p one'
}
