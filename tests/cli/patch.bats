# SPDX-License-Identifier: MIT
# Patches of crates, without cargo: what a project, its clones and the caches
# have before and after each command.

load ../helper
load patching

# Each test gets a copy.
setup_file() {
  local BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
  cargo_setup
  mkdir -p "$cache" "$CARGO_HOME/registry/src" "$BATS_FILE_TMPDIR/project"
  make_crate dep 1.0.0
  make_crate other 0.3.1
  (cd "$BATS_FILE_TMPDIR/project" && make_project)
}

setup() {
  bed_setup self
  cargo_setup
  cp -a "$BATS_FILE_TMPDIR"/{cargo,crates,project} "$BATS_TEST_TMPDIR"
  cd "$project" || return
  cache_before=$(state_of "$CARGO_HOME")
  edit=.drydock/edit/cargo/dep@1.0.0
  patch=.drydock/patches/cargo/dep@1.0.0.patch
}

cargo_setup() {
  export CARGO_HOME=$BATS_TEST_TMPDIR/cargo
  cache=$CARGO_HOME/registry/cache/index.crates.io-1949cf8c6b5b557f
}

# No command may change a cache.
teardown() {
  assert_equal "$(state_of "$CARGO_HOME")" "$cache_before"
}

# make_crate NAME VERSION: a package file in the user's cache.
make_crate() {
  local dir=$BATS_TEST_TMPDIR/crates
  mkdir -p "$dir/$1-$2/src"
  printf '[package]\nname = "%s"\nversion = "%s"\n\n[dependencies]\n' \
    "$1" "$2" >"$dir/$1-$2/Cargo.toml"
  printf 'pub fn word() -> &%sstatic str {\n    "original"\n}\n' "'" \
    >"$dir/$1-$2/src/lib.rs"
  printf 'The crate %s.\n' "$1" >"$dir/$1-$2/README.md"
  tar -C "$dir" --sort=name --owner=0 --group=0 --numeric-owner \
    --mtime=@1000000000 -cf - "$1-$2" | gzip -n >"$cache/$1-$2.crate"
}

# lock_entry NAME VERSION: as cargo writes it.
lock_entry() {
  printf '\n[[package]]\nname = "%s"\nversion = "%s"\n' "$1" "$2"
  printf 'source = "registry+https://github.com/rust-lang/crates.io-index"\n'
  printf 'checksum = "%s"\n' \
    "$(sha256sum "$cache/$1-$2.crate" | cut -d ' ' -f 1)"
}

make_project() {
  mkdir -p src
  printf 'fn main() {}\n' >src/main.rs
  printf '[package]\nname = "app"\nversion = "0.1.0"\n\n%s\n' \
    $'[dependencies]\ndep = "1.0"\nother = "0.3"' >Cargo.toml
  {
    printf '# This file is automatically @%s by Cargo.\n' generated
    printf '# It is not intended for manual editing.\nversion = 4\n'
    printf '\n[[package]]\nname = "app"\nversion = "0.1.0"\n'
    printf 'dependencies = [\n "dep",\n "other",\n]\n'
    lock_entry dep 1.0.0
    lock_entry other 0.3.1
  } >Cargo.lock
}

# save_patch [NAME VERSION]: a saved patch of the crate.
save_patch() {
  local name=${1-dep} version=${2-1.0.0}
  rm -rf ".drydock/edit/cargo/$name@$version"
  drydock patch -q start "$name@$version" >/dev/null
  sed -i s/original/patched/ ".drydock/edit/cargo/$name@$version/src/lib.rs"
  drydock patch -q save "$name@$version" >/dev/null
}

@test "start, edit, save: a patch, a copy and a redirect" {
  run -0 --separate-stderr drydock patch start dep
  assert_equal "$output" "$edit"
  assert_equal "$stderr" "drydock: edit the files in this directory, then run\
 \"drydock patch save dep\""
  assert_equal "$(cd "$edit" && find . -type f -printf '%P\n' | sort | xargs)" \
    "Cargo.toml README.md src/lib.rs"
  sed -i s/original/patched/ "$edit/src/lib.rs"
  run -0 --separate-stderr drydock patch save
  assert_contains "$output" "$patch"
  assert_contains "$stderr" "commit the manifest, the lock file and .drydock"
  assert_equal "$(grep '^[-+] ' "$patch")" '-    "original"
+    "patched"'
  local digest copy
  digest=$(sha256sum "$patch" | cut -c 1-12)
  copy=.drydock/patched/cargo/dep-1.0.0-$digest
  assert_equal "$(sed -n 2p "$copy/src/lib.rs")" '    "patched"'
  assert_equal "$(find "$copy" -type f ! -perm 0444)" ""
  assert_equal "$(find "$copy" -type d ! -perm 0755)" ""
  (cd "$copy" && sha256sum --quiet -c "../${copy##*/}.files")
  assert_contains "$(<Cargo.toml)" "path = \"$copy\""
  assert_equal "$(grep -A 2 'name = "dep"' Cargo.lock; echo .)" 'name = "dep"
version = "1.0.0"

.'
  run -0 drydock patch list
  assert_equal "$output" "cargo dep@1.0.0: in sync"
  in_sync 1
}

@test "apply in a fresh clone makes the copies, and a second one writes nothing" {
  save_patch
  clone "$BATS_TEST_TMPDIR/clone"
  [ ! -e "$BATS_TEST_TMPDIR/clone/.drydock/patched" ]
  [ ! -e "$BATS_TEST_TMPDIR/clone/.drydock/edit" ]
  cd "$BATS_TEST_TMPDIR/clone"
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" ".drydock/patched/cargo/dep-1.0.0-"
  assert_contains "$output" '  run "drydock patch apply"'
  assert_equal "$stderr" ""
  run -0 drydock patch list
  assert_contains "$output" "cargo dep@1.0.0: .drydock/patched/cargo/dep-1.0.0-"
  assert_contains "$output" 'run "drydock patch check" to see what differs'
  run -0 --separate-stderr drydock patch apply
  assert_contains "$output" ".drydock/patched/cargo/dep-1.0.0-"
  in_sync 1
  diff -r "$project/.drydock/patched" .drydock/patched
  git diff --exit-code
  assert_equal "$(git status --porcelain)" ""
  local before
  before=$(state_of .)
  run -0 --separate-stderr drydock patch apply
  assert_equal "$output" ""
  assert_equal "$stderr" "drydock: there is nothing to change"
  assert_equal "$(state_of .)" "$before"
  # The patch of the project saved again is the same patch.
  run -0 drydock patch seal
  assert_equal "$(state_of .)" "$before"
}

@test "remove gives the project back as it was" {
  local before
  before=$(content_of .)
  save_patch
  save_patch other 0.3.1
  in_sync 2
  run -0 --separate-stderr drydock patch remove dep
  # The user's files stay until the user removes them.
  assert_equal "$stderr" "drydock: .drydock/edit stays; remove it if you do\
 not need your edits"
  [ ! -e "$patch" ]
  in_sync 1
  rm -r "$edit" .drydock/edit/cargo/other@0.3.1
  run -0 --separate-stderr drydock patch remove other@0.3.1
  assert_equal "$stderr" ""
  run -0 --separate-stderr drydock patch check
  assert_equal "$output" "no patches"
  assert_equal "$(content_of .)" "$before"
}

# round_trip: a patch is in sync, and its removal gives the manifest and the
# lock file their bytes back.
round_trip() {
  cp Cargo.toml "$BATS_TEST_TMPDIR/toml"
  cp Cargo.lock "$BATS_TEST_TMPDIR/lock"
  save_patch
  in_sync 1
  drydock patch -q remove dep >/dev/null
  cmp Cargo.toml "$BATS_TEST_TMPDIR/toml"
  cmp Cargo.lock "$BATS_TEST_TMPDIR/lock"
}

@test "line ends, comments and patch sections of the user's own stay" {
  local own
  own=$(<Cargo.toml)
  # CRLF
  sed -i 's/$/\r/' Cargo.toml Cargo.lock
  save_patch
  run -1 grep -nv $'\r$' Cargo.toml Cargo.lock
  drydock patch -q remove dep
  round_trip
  make_project
  # No newline at the end, comments there.
  printf '%s\n\n# the last word' "$own" >Cargo.toml
  round_trip
  # Comments behind the block are the user's, too.
  printf '%s\n' "$own" >Cargo.toml
  save_patch
  printf '\n# behind it\n[profile.release]\nlto = true\n' >>Cargo.toml
  run -0 drydock patch check
  drydock patch -q remove dep
  assert_equal "$(<Cargo.toml)" "$own

# behind it
[profile.release]
lto = true"
  # Own patches of other crates, in both forms.
  printf '%s\n\n[patch.crates-io]\nelse = { path = "else" } # mine\n' "$own" \
    >Cargo.toml
  round_trip
  printf '%s\n\n[patch.crates-io.else]\npath = "else"\n' "$own" >Cargo.toml
  round_trip
  # A dependency by another name, and features.
  printf '%s\n' "${own/dep = \"1.0\"/d = { package = \"dep\", version = \"1.0\",\
 features = [\"x\"] \}}" >Cargo.toml
  assert_contains "$(<Cargo.toml)" 'package = "dep"'
  round_trip
}

@test "workspaces: the block stands in the root's manifest" {
  mkdir -p a/src b/src
  printf '[package]\nname = "a"\nversion = "0.1.0"\n' >a/Cargo.toml
  printf '[package]\nname = "b"\nversion = "0.1.0"\n' >b/Cargo.toml
  printf '[workspace]\nmembers = ["a", "b"]\nresolver = "2"\n' >Cargo.toml
  round_trip
  printf '[package]\nname = "app"\nversion = "0.1.0"\n\n%s\n' \
    $'[workspace]\nmembers = ["a", "b"]' >Cargo.toml
  round_trip
  # A member is no project: cargo ignores its [patch].
  cd a
  run -78 --separate-stderr drydock patch start dep
  assert_contains "$stderr" Cargo.lock
}

@test "configuration below the project takes over there, and check says so" {
  save_patch
  mkdir -p crates/a/.cargo alt
  in_sync 1
  printf '[patch.crates-io]\ndep = { path = "../../alt" }\n' \
    >crates/a/.cargo/config.toml
  run -1 --separate-stderr drydock patch check
  assert_equal "${lines[0]}" "crates/a/.cargo/config.toml: [patch.crates-io] has\
 dep, and cargo takes that; remove it"
  assert_equal "${#lines[@]}" 2
  # The old name, and a link out of the project, which cargo follows.
  mv crates/a/.cargo/config.toml crates/a/.cargo/config
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "crates/a/.cargo/config: [patch.crates-io] has dep"
  mv crates/a/.cargo/config "$BATS_TEST_TMPDIR/config.toml"
  rmdir crates/a/.cargo
  mkdir "$BATS_TEST_TMPDIR/linked"
  mv "$BATS_TEST_TMPDIR/config.toml" "$BATS_TEST_TMPDIR/linked"
  ln -s "$BATS_TEST_TMPDIR/linked" crates/a/.cargo
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "crates/a/.cargo/config.toml: cannot be read"
  # Nobody builds in these, and what says nothing of patches is no matter.
  rm crates/a/.cargo
  mkdir crates/a/.cargo target
  printf '[build]\njobs = 1\n' >crates/a/.cargo/config.toml
  cp -r "$BATS_TEST_TMPDIR/linked" target/.cargo
  in_sync 1
}

@test "a project below has the original, and check names it" {
  save_patch
  mkdir -p fuzz .drydock/edit/x target/package
  lock=$(printf 'version = 4\n'; lock_entry dep 1.0.0)
  printf '%s\n' "$lock" | tee target/package/Cargo.lock >.drydock/edit/Cargo.lock
  in_sync 1
  printf '%s\n' "$lock" >fuzz/Cargo.lock
  local note="fuzz/Cargo.lock has dep 1.0.0 from crates.io: its directory is a\
 project of its own, which the patch here does not change"
  run -0 --separate-stderr drydock patch check
  assert_equal "$output" "1 patch in sync"
  assert_equal "$stderr" "drydock: $note"
  run -0 --separate-stderr drydock patch check --json
  assert_contains "$output" "$note"
  # Another version, which no patch of this project can change, either.
  sed -i 's/"1.0.0"/"1.0.1"/' fuzz/Cargo.lock
  run -0 --separate-stderr drydock patch check
  assert_contains "$stderr" "fuzz/Cargo.lock has dep 1.0.1 from crates.io"
  # One with other packages, one that is patched, too, and none.
  sed -i 's/"dep"/"other"/' fuzz/Cargo.lock
  in_sync 1
  printf '%s\n' "$lock" | grep -v -e source -e checksum >fuzz/Cargo.lock
  in_sync 1
  mkfifo fuzz/fifo
  mv fuzz/fifo fuzz/Cargo.lock
  in_sync 1
}

@test "a workspace above the project takes over, and check says so" {
  save_patch
  in_sync 1
  local above=${PWD%/*} own
  own=$(<Cargo.toml)
  printf '[workspace]\nmembers = ["%s"]\n' "${PWD##*/}" >"$above/Cargo.toml"
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" \
    "Cargo.toml: $above/Cargo.toml is the root of a workspace"
  run -78 --separate-stderr drydock patch apply
  assert_contains "$stderr" "$above/Cargo.toml is the root of a workspace"
  # It may be one: cargo reads more than drydock does.
  printf '"work\\u0073pace".members = ["x"]\n' >"$above/Cargo.toml"
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "$above/Cargo.toml may be the root of a workspace"
  # A member of another one, which cargo asks for its root.
  printf '[package]\nname = "x"\nworkspace = "y"\n' >"$above/Cargo.toml"
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "$above/Cargo.toml is the root of a workspace, or"
  # This project is its own root, or nothing above is one.
  printf '[workspace]\n' >"$above/Cargo.toml"
  printf '[workspace]\n%s\n' "$own" >Cargo.toml
  in_sync 1
  printf '%s\n' "$own" >Cargo.toml
  printf '[package]\nname = "x"\n' >"$above/Cargo.toml"
  in_sync 1
  rm "$above/Cargo.toml"
}

@test "what no crate proves is not unpacked" {
  # The host user's cache has other bytes: poisoned.
  printf 'poison' >>"$cache/dep-1.0.0.crate"
  cache_before=$(state_of "$CARGO_HOME")
  run -1 --separate-stderr drydock patch start dep
  assert_equal "$output" ""
  assert_contains "$stderr" "dep-1.0.0.crate"
  assert_contains "$stderr" "cargo fetch"
  [ ! -e .drydock/edit ]
  # No cache has it.
  rm "$cache/dep-1.0.0.crate"
  cache_before=$(state_of "$CARGO_HOME")
  run -1 --separate-stderr drydock patch start dep
  assert_contains "$stderr" "cargo fetch"
  refute_contains "$stderr" warning
  [ ! -e .drydock/edit ]
  # A clone without the crate stays as it is.
  save_patch other 0.3.1
  clone "$BATS_TEST_TMPDIR/clone"
  rm "$cache/other-0.3.1.crate"
  cache_before=$(state_of "$CARGO_HOME")
  cd "$BATS_TEST_TMPDIR/clone"
  run -1 --separate-stderr drydock patch apply
  assert_contains "$stderr" "cargo fetch"
  assert_equal "$(git status --porcelain)" ""
  run -1 drydock patch check
}

@test "check names what an agent changed, and apply mends it" {
  local copy before
  save_patch
  save_patch other 0.3.1
  before=$(content_of .)
  copy=$(echo .drydock/patched/cargo/dep-*[0-9a-f])
  chmod -R u+w "$copy"
  sed -i s/patched/evil/ "$copy/src/lib.rs"
  rm "$copy/README.md"
  echo x >"$copy/src/more.rs"
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "$copy/src/lib.rs: "
  assert_contains "$output" "$copy/README.md: "
  assert_contains "$output" "$copy/src/more.rs: "
  # One command mends all three.
  assert_equal "$(grep -c '^  run ' <<<"$output")" 1
  run -1 --separate-stderr drydock patch check --json
  assert_equal "$(jq -c '[.in_sync, .patches, (.findings | length)]' \
    <<<"$output")" "[false,2,3]"
  assert_equal "$(jq -rc '.findings[] | [.kind, .ecosystem, .name, .version,
    .mend] | @tsv' <<<"$output" | sort -u)" \
    $'copy-changed\tcargo\tdep\t1.0.0\tdrydock patch apply'
  # Nothing is lost: neither these changes nor the user's own.
  run -1 --separate-stderr drydock patch apply
  assert_equal "$stderr" "drydock: $copy was changed, and $edit is there,\
 too: save or move away the latter, and apply again"
  mv "$edit" "$BATS_TEST_TMPDIR/mine"
  run -0 --separate-stderr drydock patch apply
  assert_contains "$output" "kept the changes to $copy in $edit"
  assert_equal "$(sed -n 2p "$edit/src/lib.rs")" '    "evil"'
  in_sync 2
  rm -r "$edit"
  mv "$BATS_TEST_TMPDIR/mine" "$edit"
  assert_equal "$(content_of .)" "$before"
  # They can become the patch.
  rm -r "$edit"
  chmod u+w "$copy/src/lib.rs"
  sed -i s/patched/evil/ "$copy/src/lib.rs"
  drydock patch apply
  run -0 drydock patch save dep
  in_sync 2
  assert_contains "$(<"$patch")" '+    "evil"'
  [ ! -e "$copy" ]
}

@test "check names a block that was edited, and what no patch needs" {
  local copy
  save_patch
  copy=$(echo .drydock/patched/cargo/dep-*[0-9a-f])
  # A line of the block is gone.
  cp Cargo.toml "$BATS_TEST_TMPDIR/toml"
  sed -i /dep-1.0.0/d Cargo.toml
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "Cargo.toml: "
  # It leads elsewhere.
  cp "$BATS_TEST_TMPDIR/toml" Cargo.toml
  sed -i 's/dep-1.0.0-[0-9a-f]*/dep-1.0.0-000000000000/' Cargo.toml
  run -1 --separate-stderr drydock patch check
  assert_equal "$output" "Cargo.toml: leads to\
 .drydock/patched/cargo/dep-1.0.0-000000000000, and not to $copy
  run \"drydock patch apply\""
  run -0 drydock patch apply
  cmp Cargo.toml "$BATS_TEST_TMPDIR/toml"
  # A patch and a copy that nobody recorded
  cp "$patch" .drydock/patches/cargo/other@0.3.1.patch
  cp -a "$copy" .drydock/patched/cargo/other-0.3.1-000000000000
  run -1 --separate-stderr drydock patch check
  assert_equal "$output" ".drydock/patches/cargo/other@0.3.1.patch: not recorded
  run \"drydock patch seal\"
.drydock/patched/cargo/other-0.3.1-000000000000: not recorded
  run \"drydock patch apply\""
  run -0 drydock patch seal
  in_sync 2
  # A missing file may have been deleted by mistake: restore it.
  rm "$patch"
  run -1 --separate-stderr drydock patch check
  assert_equal "$output" "$patch: missing
  restore this file, or run \"drydock patch remove dep@1.0.0\""
  run -1 --separate-stderr drydock patch apply
  assert_equal "$stderr" "drydock: $patch is missing: restore it, or run:\
 drydock patch remove dep@1.0.0"
  run -0 drydock patch remove dep@1.0.0
  in_sync 1
  mv .drydock/patches.json "$BATS_TEST_TMPDIR/ledger"
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" \
    '  restore .drydock/patches.json, or run "drydock patch apply"'
  # The ledger has the original lock entry: without it, cargo would build the
  # original.
  local before verb
  before=$(content_of .)
  for verb in apply "remove other"; do
    # shellcheck disable=SC2086 # words
    run -1 --separate-stderr drydock patch $verb
    assert_equal "$stderr" "drydock: Cargo.toml and Cargo.lock lead to a patch\
 of other that .drydock/patches.json does not record: restore this file, or the\
 other two"
    assert_equal "$(content_of .)" "$before"
  done
  mv "$BATS_TEST_TMPDIR/ledger" .drydock/patches.json
  in_sync 1
  # Cargo's own configuration wins over the block.
  mkdir .cargo
  printf '[patch.crates-io]\nother = { path = "x" }\n' >.cargo/config.toml
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" ".cargo/config.toml: "
  assert_contains "$output" '  edit this file, then run "drydock patch check"'
}

@test "check names a lock file that cargo resolved anew" {
  save_patch
  # By the original again, as "cargo update" without the block does.
  cp Cargo.toml "$BATS_TEST_TMPDIR/patched.toml"
  cp Cargo.lock "$BATS_TEST_TMPDIR/patched.lock"
  make_project
  cp "$BATS_TEST_TMPDIR/patched.toml" Cargo.toml
  run -1 --separate-stderr drydock patch check
  assert_equal "$output" 'Cargo.lock: leads to the original of dep 1.0.0
  run "drydock patch apply"'
  run -0 drydock patch apply
  cmp Cargo.lock "$BATS_TEST_TMPDIR/patched.lock"
  in_sync 1
  # Another version
  sed -i '/name = "dep"/{n;s/1.0.0/1.0.1/}' Cargo.lock
  run -1 --separate-stderr drydock patch check
  assert_equal "$output" 'Cargo.lock: has dep 1.0.1, and not 1.0.0
  restore this file, or run "drydock patch remove dep@1.0.0"'
  run -1 --separate-stderr drydock patch check --json
  assert_equal "$(jq -rc '.findings[] | [.kind, .mend]' <<<"$output")" \
    '["lock-other-version","drydock patch remove dep@1.0.0"]'
  run -1 --separate-stderr drydock patch apply
  assert_contains "$stderr" "drydock patch remove dep"
  # That removal leaves the other version alone.
  cp -a . "$BATS_TEST_TMPDIR/copy"
  cp -a . "$BATS_TEST_TMPDIR/unlocked"
  cp Cargo.lock "$BATS_TEST_TMPDIR/lock"
  cd "$BATS_TEST_TMPDIR/copy"
  run -0 drydock patch remove dep@1.0.0
  cmp Cargo.lock "$BATS_TEST_TMPDIR/lock"
  run -0 drydock patch check
  # Without a lock file
  cd "$BATS_TEST_TMPDIR/unlocked"
  rm Cargo.lock
  run -1 --separate-stderr drydock patch check
  assert_equal "$output" 'Cargo.lock: missing
  restore this file, or run "drydock patch remove dep@1.0.0"'
  run -78 --separate-stderr drydock patch apply
  assert_contains "$stderr" "has no Cargo.lock"
  run -0 drydock patch remove dep@1.0.0
  [ ! -e Cargo.lock ]
  make_project
  run -0 --separate-stderr drydock patch check
  assert_equal "$output" "no patches"
  cd "$project"
  # No block
  cp "$BATS_TEST_TMPDIR/patched.lock" Cargo.lock
  printf '[package]\nname = "app"\nversion = "0.1.0"\n\n%s\n' \
    $'[dependencies]\ndep = "1.0"\nother = "0.3"' >Cargo.toml
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "Cargo.toml: "
  run -0 drydock patch apply
  cmp Cargo.toml "$BATS_TEST_TMPDIR/patched.toml"
  in_sync 1
}

@test "seal records a patch that a person edited" {
  save_patch
  sed -i 's/^+    "patched"/+    "by hand"/' "$patch"
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "$patch: "
  assert_contains "$output" '  run "drydock patch seal"'
  run -1 --separate-stderr drydock patch apply
  assert_equal "$stderr" "drydock: the patch file of dep 1.0.0 is not the\
 recorded one; if it is right, run: drydock patch seal"
  run -0 --separate-stderr drydock patch seal
  in_sync 1
  assert_equal "$(sed -n 2p .drydock/patched/cargo/dep-*[0-9a-f]/src/lib.rs)" \
    '    "by hand"'
  assert_equal "$(find .drydock/patched/cargo -mindepth 1 -maxdepth 1 | wc -l)" 2
}

@test "a patch that a person edited is neither replaced nor removed" {
  save_patch
  sed -i 's/^+    "patched"/+    "by hand"/' "$patch"
  local edited
  edited=$(<"$patch")
  sed -i s/patched/again/ "$edit/src/lib.rs"
  run -1 --separate-stderr drydock patch save
  assert_equal "$stderr" "drydock: $patch has changes that are not recorded:\
 restore it or move it away, or run: drydock patch seal"
  assert_equal "$(<"$patch")" "$edited"
  # What is not a file of ours is not replaced, either.
  mv "$patch" mine
  ln -s ../../../mine "$patch"
  run -74 drydock patch save
  [ -L "$patch" ]
  mv mine "$patch"
  run -0 --separate-stderr drydock patch remove dep
  assert_contains "$output" \
    "kept the changed $patch as .drydock/edit/cargo/dep@1.0.0.patch."
  assert_equal "$(cat .drydock/edit/cargo/dep@1.0.0.patch.*)" "$edited"
  run -0 drydock patch check
  assert_equal "$output" "no patches"
  # One that was never recorded, in the way of the first save.
  mkdir -p "${patch%/*}"
  mv .drydock/edit/cargo/dep@1.0.0.patch.* "$patch"
  rm -rf "$edit"
  drydock patch -q start dep >/dev/null
  sed -i s/original/again/ "$edit/src/lib.rs"
  run -1 --separate-stderr drydock patch save
  assert_equal "$(<"$patch")" "$edited"
}

@test "save refuses a directory that was not made from the present patch" {
  local base line
  save_patch
  base=$(<"$edit.base")
  sed -i s/patched/again/ "$edit/src/lib.rs"
  for line in none "${base%?}" "x$base" "$base "; do
    printf '%s\n' "$line" >"$edit.base"
    run -1 --separate-stderr drydock patch save
    assert_contains "$stderr" "$edit was not made from the present patch: "
  done
  printf 'none\n%s\n' "$base" >"$edit.base"
  run -0 drydock patch save
}

@test "remove keeps what was changed in a copy, whatever its list says" {
  local how copy
  for how in forged missing; do
    save_patch
    rm -r .drydock/edit
    copy=$(echo .drydock/patched/cargo/dep-1.0.0-????????????)
    chmod u+w "$copy/src/lib.rs" "$copy.files"
    echo '// mine' >>"$copy/src/lib.rs"
    if [ "$how" = forged ]; then
      (cd "$copy" && find . -type f -printf '%P\n' | LC_ALL=C sort |
        xargs sha256sum) >"$copy.files"
    else
      rm "$copy.files"
    fi
    run -0 --separate-stderr drydock patch remove dep
    assert_contains "$output" "kept the changed copy $copy as "
    run -0 grep -r '// mine' .drydock/edit
    rm -r .drydock
  done
}

@test "remove leaves the patch of another version" {
  save_patch
  local other=${patch/1.0.0/0.9.0}
  cp "$patch" "$other"
  drydock patch -q remove dep >/dev/null
  [ -s "$other" ]
  [ ! -e "$patch" ]
}

@test "what a killed save left among the patches goes, and no other file" {
  save_patch
  local dir=${patch%/*}
  touch "$dir/.other@0.3.1.patch.abcdefghijkl" "$dir/.gitkeep" "$dir/.a@b.c"
  drydock patch -q remove dep >/dev/null
  assert_equal "$(find "$dir" -type f -printf '%f\n' | LC_ALL=C sort | xargs)" \
    ".a@b.c .gitkeep"
}

@test "what a killed save left goes although the ledger cannot be read" {
  save_patch
  touch .Cargo.toml.abcdefghijkl .Cargo.lock.abcdefghijkl \
    .package.json.abcdefghijkl .drydock/.patches.json.abcdefghijkl
  echo broken >.drydock/patches.json
  run -65 drydock patch remove dep
  assert_equal "$(find . -name '.*.abcdefghijkl')" ""
}

@test "apply and seal without patches touch nothing" {
  local before
  before=$(state_of .)
  run -0 --separate-stderr drydock patch apply
  assert_equal "$stderr" "drydock: there is nothing to change"
  run -1 --separate-stderr drydock patch seal
  assert_equal "$stderr" "drydock: $project has no patches"
  assert_equal "$(state_of .)" "$before"
}

@test "a second save leaves every time" {
  save_patch
  local before
  before=$(state_of .)
  run -0 --separate-stderr drydock patch save
  assert_contains "$stderr" "nothing to change"
  assert_equal "$(state_of .)" "$before"
}

@test "patches of two branches are merged" {
  git init -q -b main .
  as_git() {
    git -c user.name=t -c user.email=t@t.test -c core.excludesFile= "$@"
  }
  as_git add -A
  as_git commit -qm main
  as_git checkout -qb other
  save_patch other 0.3.1
  as_git add -A
  as_git commit -qm other
  as_git checkout -q main
  git clean -fdqx
  save_patch
  as_git add -A
  as_git commit -qm dep
  run -1 as_git merge other
  run -65 --separate-stderr drydock patch check
  assert_contains "$stderr" ".drydock/patches.json: a merge conflict is not\
 resolved; take one side"
  # The recipe of the manual
  git checkout -q HEAD -- Cargo.toml Cargo.lock .drydock/patches.json
  run -1 --separate-stderr drydock patch check
  assert_equal "$output" ".drydock/patches/cargo/other@0.3.1.patch: not recorded
  run \"drydock patch seal\""
  run -0 drydock patch seal
  in_sync 2
  as_git add -A
  as_git commit -qm merged
  # Each removal gives back what was there before.
  rm -r .drydock/edit
  drydock patch remove dep
  drydock patch remove other
  git diff --exit-code other~1
  [ ! -e .drydock ]
}

@test "one writer at a time; check waits for none" {
  save_patch
  exec {lock}<>.drydock/patches.lock
  flock "$lock"
  local verb
  for verb in "start other" save apply "remove dep" seal; do
    # shellcheck disable=SC2086 # words
    run -75 --separate-stderr drydock patch $verb
    assert_equal "$output" ""
    assert_equal "$stderr" "drydock: another drydock changes the patches of\
 $project; try again"
  done
  in_sync 1
  exec {lock}>&-
  run -0 drydock patch apply
}

@test "check and list change nothing, lock nothing and start nothing" {
  local verb before
  local trace=$BATS_TEST_TMPDIR/trace calls
  save_patch
  calls='((f|l)?chown|f?chmod|f?truncate|(f|l)?(set|remove)xattr|mkdir|mknod'
  calls+='|rename|unlink|rmdir|link|symlink|utime|futimes|fallocate|flock'
  calls+='|copy_file_range|sendfile|splice|clone|fork|vfork|bind|listen)'
  before=$(state_of "$project"; state_of "$XDG_STATE_HOME")
  for verb in check list; do
    traced -f -o "$trace" drydock patch "$verb"
    # The patterns find what they look for.
    run -0 grep -E '^[0-9]+ +openat2\([0-9]+, "\.drydock/patches\.json"' "$trace"
    run -0 grep -E '^[0-9]+ +p?write(v|64)?\(1,' "$trace"
    run -1 grep -E '^[0-9]+ +p?write(v|v2|64)?\([^1]' "$trace"
    # drydock makes sure that descriptors 0 to 2 are open.
    run -1 grep -E 'O_WRONLY|O_CREAT|O_TRUNC|O_TMPFILE|[^l]", O_RDWR' "$trace"
    run -1 grep -E "^[0-9]+ +${calls}[a-z0-9]*\\(" "$trace"
    run -1 grep -E 'F_(OFD_)?SETLK|AF_INET' "$trace"
    assert_equal "$(grep -cE '^[0-9]+ +execve' "$trace")" 1
  done
  assert_equal "$(state_of "$project"; state_of "$XDG_STATE_HOME")" "$before"
}

@test "a hostile project is refused, and never in sync" {
  save_patch
  local outside=$BATS_TEST_TMPDIR/outside
  cp -a .drydock "$outside"
  local before
  before=$(state_of "$outside")
  # A link in the place of a directory
  rm -rf .drydock
  ln -s ../outside .drydock
  local verb
  for verb in check list apply seal "start other" "remove dep"; do
    # shellcheck disable=SC2086 # words
    run --separate-stderr timeout 20 drydock patch $verb
    [ "$status" -ge 64 ] && [ "$status" -lt 100 ]
    assert_contains "$stderr" .drydock
    refute_contains "$output" "in sync"
  done
  assert_equal "$(state_of "$outside")" "$before"
  # A file in the place of the directory
  rm .drydock
  touch .drydock
  for verb in list apply seal "start other" "remove dep"; do
    # shellcheck disable=SC2086 # words
    run --separate-stderr timeout 20 drydock patch $verb
    [ "$status" -ge 64 ] && [ "$status" -lt 100 ]
    assert_contains "$stderr" .drydock
    assert_equal "$output" ""
  done
  run -1 drydock patch check
  # A fifo in the place of the ledger
  rm .drydock
  cp -a "$outside" .drydock
  rm .drydock/patches.json
  mkfifo .drydock/patches.json
  for verb in check list apply "remove dep"; do
    # shellcheck disable=SC2086 # words
    run --separate-stderr timeout 20 drydock patch $verb
    [ "$status" -ge 64 ] && [ "$status" -lt 100 ]
    assert_contains "$stderr" .drydock/patches.json
    refute_contains "$output" "in sync"
  done
  rm -rf .drydock
  cp -a "$outside" .drydock
  # A lock file of 100 MiB
  truncate -s 100M Cargo.lock
  for verb in check list apply "remove dep" "start other"; do
    # shellcheck disable=SC2086 # words
    run --separate-stderr timeout 20 drydock patch $verb
    [ "$status" -ge 64 ] && [ "$status" -lt 100 ]
    assert_contains "$stderr" Cargo.lock
    refute_contains "$output" "in sync"
  done
}

@test "a link in the project leads no command out of it" {
  local outside=$BATS_TEST_TMPDIR/outside keep=$BATS_TEST_TMPDIR/keep
  local path verb verbs before copy
  save_patch
  copy=$(echo .drydock/patched/cargo/dep-*[0-9a-f])
  cp -a . "$outside"
  cp -a . "$keep"
  before=$(state_of "$outside")
  for path in Cargo.toml Cargo.lock .drydock/.gitignore \
    .drydock/patches{.lock,.json,,/cargo} "$patch" .drydock/patched{,/cargo} \
    "$copy" "$copy.files" .drydock/edit{,/cargo} "$edit" "$edit.base" \
    "$edit/src"; do
    verbs=(check save "remove dep")
    case $path in
      .drydock/patched*) verbs+=(apply) ;;
      .drydock/edit*) verbs+=(apply "start other") ;;
      *) verbs+=(seal) ;;
    esac
    for verb in "${verbs[@]}"; do
      find . -mindepth 1 -delete
      cp -a "$keep/." .
      # Each has something to do.
      case $verb in
        save) sed -i s/patched/more/ "$edit/src/lib.rs" ;;
        seal) sed -i s/patched/more/ "$patch" ;;
        apply) rm -r "$copy/src" "$edit" ;;
      esac
      rm -rf "$path"
      mkdir -p "$(dirname "$path")"
      ln -sT "$outside/$path" "$path"
      # shellcheck disable=SC2086 # words
      run --separate-stderr timeout 20 drydock patch $verb
      [ "$status" -lt 100 ] || fail "$path: $verb: $status"
    done
    assert_equal "$(state_of "$outside")" "$before"
  done
}

@test "what the patch may not change, and what is no patch" {
  drydock patch -q start dep >/dev/null
  run -1 --separate-stderr drydock patch save
  assert_contains "$stderr" dep
  [ ! -e "$patch" ]
  printf 'rand = "1"\n' >>"$edit/Cargo.toml"
  run -78 --separate-stderr drydock patch save
  assert_contains "$stderr" "dep 1.0.0"
  assert_contains "$stderr" dependencies
  [ ! -e "$patch" ]
  run -78 --separate-stderr drydock patch start dep
  assert_contains "$stderr" "$edit"
  sed -i /rand/d "$edit/Cargo.toml"
  ln -s /etc/passwd "$edit/src/link"
  run --separate-stderr drydock patch save
  [ "$status" -ge 64 ]
  assert_contains "$stderr" src/link
}

@test "pnpm and yarn: checked, and their own commands named" {
  run -64 --separate-stderr drydock patch list --ecosystem pip
  assert_equal "$stderr" \
    'drydock: patch: --ecosystem is cargo, npm, pnpm or yarn, and not "pip"'
  local verb command
  while IFS='|' read -r verb command; do
    # shellcheck disable=SC2086 # two words
    run -78 --separate-stderr drydock patch $verb -e "${command%% *}"
    assert_equal "$stderr" "drydock: ${command%% *} has patches of its own,\
 which drydock only checks: run \"$command\" in a session instead of \"drydock\
 patch ${verb%% *}\""
  done <<'END'
start dep|pnpm patch NAME
save|pnpm patch-commit DIR
apply|pnpm install
seal|pnpm install
remove dep|pnpm patch-remove NAME
start dep|yarn patch NAME
save|yarn patch-commit -s DIR
apply|yarn install
END
  run -78 --separate-stderr drydock patch remove dep -e yarn
  assert_contains "$stderr" \
    'take its "patch:" out of package.json, then run "yarn install"'
  # A project with both is cargo's.
  printf "lockfileVersion: '9.0'\n" >pnpm-lock.yaml
  run -0 drydock patch check
  rm Cargo.lock
  run -0 --separate-stderr drydock patch check
  assert_equal "$output" "no patches"
  run -78 --separate-stderr drydock patch start dep
  assert_contains "$stderr" 'run "pnpm patch NAME" in a session'
  mv pnpm-lock.yaml yarn.lock
  run -78 --separate-stderr drydock patch start dep
  assert_contains "$stderr" 'run "yarn patch NAME" in a session'
}

# make_pnpm: a project of pnpm 12 with a patch, instead of the crate.
make_pnpm() {
  rm -r Cargo.toml Cargo.lock src
  printf '{"dependencies": {"is-odd": "3.0.1"}}\n' >package.json
  printf 'patchedDependencies:\n  is-odd: patches/is-odd.patch\n' \
    >pnpm-workspace.yaml
  mkdir patches
  printf -- '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n' >patches/is-odd.patch
  hash=$(sha256sum <patches/is-odd.patch | cut -c 1-64)
  printf "lockfileVersion: '9.0'\n\npatchedDependencies:\n  is-odd: %s\n
snapshots:\n\n  is-odd@3.0.1(patch_hash=%s): {}\n" "$hash" "$hash" \
    >pnpm-lock.yaml
}

@test "pnpm: in sync, and not" {
  make_pnpm
  local before
  before=$(state_of .)
  in_sync 1
  run -0 --separate-stderr drydock patch list
  assert_equal "$output" "pnpm is-odd: in sync"
  run -0 drydock patch list --json -e pnpm
  assert_equal "$(jq -c .[] <<<"$output")" \
    '{"ecosystem":"pnpm","name":"is-odd","version":null,'\
'"patch":"patches/is-odd.patch","copy":null,"state":"in-sync"}'
  run -0 drydock patch check -e cargo
  assert_equal "$output" "no patches"
  assert_equal "$(state_of .)" "$before"
  echo >>patches/is-odd.patch
  run -1 --separate-stderr drydock patch check
  assert_equal "$output" 'patches/is-odd.patch: not the patch that pnpm-lock.yaml has
  run "pnpm install" in a session'
  run -1 --separate-stderr drydock patch check --json
  assert_equal "$(jq -c '[.in_sync, .patches, .findings]' <<<"$output")" \
    '[false,1,[{"kind":"patch-changed","ecosystem":"pnpm","name":"is-odd",'\
'"version":null,"path":"patches/is-odd.patch",'\
'"text":"not the patch that pnpm-lock.yaml has","mend":"pnpm install"}]]'
  run -0 --separate-stderr drydock patch list
  assert_equal "$output" "pnpm is-odd: patches/is-odd.patch: not the patch that\
 pnpm-lock.yaml has"
  rm patches/is-odd.patch
  run -1 --separate-stderr drydock patch check
  assert_equal "$output" 'patches/is-odd.patch: missing
  restore this file, or run "pnpm patch-remove is-odd" in a session'
  echo "lockfileVersion: '11.0'" >pnpm-lock.yaml
  run -78 --separate-stderr drydock patch check
  assert_contains "$stderr" "pnpm-lock.yaml: lockfileVersion 11.0 is not known"
  echo ": : :" >pnpm-lock.yaml
  run -65 --separate-stderr drydock patch check
}

@test "yarn: in sync, and not" {
  rm -r Cargo.toml Cargo.lock src
  local spec='patch:is-odd@npm%3A3.0.1#~/p.patch'
  printf '{"dependencies": {"is-odd": "%s"}}\n' "$spec" >package.json
  printf -- '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n' >p.patch
  printf '%s\n' __metadata: '  version: 8' "\"is-odd@$spec\":" \
    "  resolution: \"is-odd@$spec::version=3.0.1&hash=bca637\"" >yarn.lock
  in_sync 1
  run -0 drydock patch list -e yarn
  assert_equal "$output" "yarn is-odd@3.0.1: in sync"
  sed -i 's/^+b/+c/' p.patch
  run -1 --separate-stderr drydock patch check
  assert_equal "$output" 'p.patch: not the patch that yarn.lock has
  run "yarn install" in a session'
  rm p.patch
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" 'restore this file, or take its "patch:" out of'
  printf '# yarn lockfile v1\n' >yarn.lock
  run -0 --separate-stderr drydock patch check
  assert_equal "$output" "no patches"
  assert_contains "$stderr" "yarn.lock is yarn 1's"
}

@test "words that are no package and no command are usage" {
  local word
  for word in ../x /etc x@ @1.0 dep@../y dep@1@2 . .. "dep 1" -- "" $'a\nb' \
    dep@-1; do
    run -64 --separate-stderr drydock patch start -- "$word"
    assert_contains "$stderr" "is not the name of a package"
    assert_equal "${#stderr_lines[@]}" 1
  done
  run -64 --separate-stderr drydock patch
  assert_equal "$stderr" "drydock: patch needs start, save, apply, check, list,\
 remove or seal"
  run -64 drydock patch begin
  run -64 --separate-stderr drydock patch start
  assert_equal "$stderr" "drydock: usage: drydock patch start NAME[@VERSION]"
  run -64 drydock patch start dep 1.0.0
  run -64 drydock patch check dep
  run -64 drydock patch remove
  run --separate-stderr drydock patch start nothing
  assert_contains "$stderr" nothing
  [ "$status" = 78 ]
  run --separate-stderr drydock patch start dep@9.9.9
  assert_contains "$stderr" 9.9.9
  [ "$status" = 78 ]
  [ ! -e .drydock/edit ]
}

@test "JSON, another directory's project, and completion" {
  cd /
  run -0 --separate-stderr drydock patch start dep --json --project="$project"
  assert_equal "$stderr" ""
  assert_equal "$(jq -c . <<<"$output")" \
    "{\"name\":\"dep\",\"directory\":\"$edit\"}"
  sed -i s/original/patched/ "$project/$edit/src/lib.rs"
  run -0 --separate-stderr drydock patch save -j -p "$project"
  assert_equal "$stderr" ""
  [ "$(jq '.steps | length' <<<"$output")" -gt 0 ]
  run -0 drydock patch check -jp "$project"
  assert_equal "$(jq -c . <<<"$output")" \
    '{"in_sync":true,"patches":1,"findings":[],"notes":[]}'
  run -0 drydock patch list -jp "$project"
  assert_equal "$(jq -c 'map([.ecosystem, .name, .version, .patch, .state])' \
    <<<"$output")" "[[\"cargo\",\"dep\",\"1.0.0\",\"$patch\",\"in-sync\"]]"
  complete_line() {
    bash -c 'source "$1"; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }
      _drydock; printf "%s\n" "${COMPREPLY[@]}"' bash \
      "$BATS_TEST_DIRNAME/../../completions/bash/drydock" "$@"
  }
  assert_equal "$(complete_line drydock patch rem)" remove
  assert_equal "$(cd "$project" && complete_line drydock patch remove d)" \
    dep@1.0.0
  assert_equal "$(complete_line drydock patch remove d)" ""
  rm -rf "${project:?}/.drydock/patched"
  run -1 --separate-stderr drydock patch check -p "$project"
  assert_contains "$output" "  run \"drydock patch apply\" in $project"
  run -0 drydock patch list -jp "$project"
  assert_equal "$(jq -r '.[0].state' <<<"$output")" copy-missing
  run -0 drydock patch remove dep -jp "$project"
  run -0 --separate-stderr drydock patch list -p "$project"
  assert_equal "$output" ""
  assert_equal "$stderr" "drydock: $project has no patches"
}

@test "a kept lock entry that is another's is refused by each command" {
  save_patch
  sed -i 's/name = \\"dep\\"/name = \\"dop\\"/' .drydock/patches.json
  local before verb
  before=$(state_of .)
  for verb in check apply seal "remove dep" save "start other"; do
    # shellcheck disable=SC2086
    run -65 --separate-stderr drydock patch $verb
    assert_contains "$stderr" "drydock: .drydock/patches.json: the kept entry of\
 Cargo.lock is not that of dep 1.0.0"
  done
  assert_equal "$(state_of .)" "$before"
}

@test "check notes a project that is too deep to look through" {
  save_patch
  local deep
  deep=$(printf 'd/%.0s' {1..33})
  mkdir -p "$deep/.cargo"
  run -0 --separate-stderr drydock patch check
  assert_contains "$stderr" "too large or too deep to look for each\
 .cargo/config.toml"
  rm -r d
  mkdir -m 0 closed
  run -0 --separate-stderr drydock patch check
  if [ "$EUID" -eq 0 ]; then
    assert_equal "$stderr" ""
  else
    assert_contains "$stderr" "or a directory cannot be read"
  fi
  rmdir closed
}

@test "a slot of any project is a source, if its bytes are the lock's" {
  local set=$XDG_STATE_HOME/drydock/caches slot
  set=$set/$(printf /elsewhere | sha256sum | cut -c 1-16)-elsewhere-contained
  slot=$set/0/data/cargo/registry/cache/index.crates.io-1949cf8c6b5b557f
  (umask 077 && mkdir -p "$slot")
  printf /elsewhere >"$set/project"
  mv "$cache/dep-1.0.0.crate" "$slot"
  cache_before=$(state_of "$CARGO_HOME")
  save_patch
  in_sync 1
  chmod -R u+w .drydock/patched
  rm -r .drydock/patched
  printf poison >>"$slot/dep-1.0.0.crate"
  run -1 --separate-stderr drydock patch apply
  assert_contains "$stderr" "its bytes are not what the lock names"
  assert_contains "$stderr" 'add dep = "=1.0.0" and run "cargo fetch"'
}

@test "patches that the lock has lost are removed one after the other" {
  local manifest
  manifest=$(<Cargo.toml)
  save_patch
  save_patch other 0.3.1
  # As cargo leaves the lock if nothing needs the two any more.
  printf 'version = 4\n\n[[package]]\nname = "app"\nversion = "0.1.0"\n' \
    >Cargo.lock
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "drydock patch remove dep@1.0.0"
  run -0 drydock patch remove dep@1.0.0
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "drydock patch remove other@0.3.1"
  run -0 drydock patch remove other@0.3.1
  assert_equal "$(<Cargo.toml)" "$manifest"
  [ ! -e .drydock/patches.json ]
}

@test "patches whose files are gone are removed one after the other" {
  local before
  before=$(content_of .)
  save_patch dep 1.0.0
  save_patch other 0.3.1
  rm -r .drydock/patches .drydock/edit
  run -1 --separate-stderr drydock patch apply
  assert_contains "$stderr" "drydock patch remove dep@1.0.0"
  run -0 drydock patch remove dep@1.0.0
  run -1 drydock patch check
  assert_contains "$output" "drydock patch remove other@0.3.1"
  # A patch that cannot be made again is not led to.
  rm -r .drydock/patched
  run -1 drydock patch apply
  run -0 drydock patch remove other
  assert_equal "$(content_of .)" "$before"
}
