# SPDX-License-Identifier: MIT
# Patches of npm packages, without npm: what a project, its clones and the cache
# have before and after each command.

load ../helper
load patching

# Each test gets a copy.
setup_file() {
  local BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
  cache=$BATS_FILE_TMPDIR/npm/$content
  mkdir -p "$cache" "$BATS_FILE_TMPDIR/project"
  make_package dep 1.0.0
  make_package dep 2.0.0
  make_package @team/dep 1.0.0
  (cd "$BATS_FILE_TMPDIR/project" && make_project)
}

setup() {
  bed_setup self
  unset npm_config_cache
  cache=$HOME/.npm/$content
  mkdir -p "$HOME/.npm"
  cp -a "$BATS_FILE_TMPDIR/npm/." "$HOME/.npm"
  cp -a "$BATS_FILE_TMPDIR"/{packages,project} "$BATS_TEST_TMPDIR"
  cd "$project" || return
  cache_before=$(state_of "$HOME/.npm")
  edit=.drydock/edit/npm/dep@1.0.0
  patch=.drydock/patches/npm/dep@1.0.0.patch
}

content=_cacache/content-v2/sha512

# No command may change a cache.
teardown() {
  assert_equal "$(state_of "$HOME/.npm")" "$cache_before"
}

# tarball NAME VERSION: its file outside of the cache.
tarball() {
  printf '%s\n' "$BATS_TEST_TMPDIR/packages/${1/\//+}-$2.tgz"
}

# integrity FILE: as package-lock.json has it.
integrity() {
  printf 'sha512-%s\n' "$(openssl dgst -sha512 -binary "$1" | base64 -w 0)"
}

# make_package NAME VERSION: a package in the user's cache.
make_package() {
  local dir=$BATS_TEST_TMPDIR/packages/tree file hex
  file=$(tarball "$1" "$2")
  rm -rf "$dir"
  mkdir -p "$dir/package/bin"
  printf '{\n  "name": "%s",\n  "version": "%s",\n  "main": "index.js"\n}\n' \
    "$1" "$2" >"$dir/package/package.json"
  printf 'module.exports = "original";\n' >"$dir/package/index.js"
  printf '#!/bin/sh\necho original\n' >"$dir/package/bin/run.sh"
  chmod 0755 "$dir/package/bin/run.sh"
  tar -C "$dir" --sort=name --owner=0 --group=0 --numeric-owner \
    --mtime=@1000000000 -cf - package | gzip -n >"$file"
  hex=$(sha512sum "$file" | cut -d ' ' -f 1)
  mkdir -p "$cache/${hex:0:2}/${hex:2:2}"
  cp "$file" "$cache/${hex:0:2}/${hex:2:2}/${hex:4}"
}

# locked PATH NAME VERSION [MORE]: an entry as npm writes it.
locked() {
  printf '    "%s": {\n      "version": "%s",\n' "$1" "$3"
  printf '      "resolved": "https://registry.test/%s/-/x-%s.tgz",\n' "$2" "$3"
  printf '      "integrity": "%s"%s\n    }' "$(integrity "$(tarball "$2" "$3")")" \
    "${4-}"
}

# make_project: "via" needs dep 1.0.0, "far" needs dep 2.0.0.
make_project() {
  printf '%s\n' '{' '  "name": "app",' '  "version": "1.0.0",' \
    '  "dependencies": {' '    "@team/dep": "^1.0.0",' '    "far": "^1.0.0",' \
    '    "via": "^1.0.0"' '  }' '}' >package.json
  {
    printf '%s\n' '{' '  "name": "app",' '  "version": "1.0.0",' \
      '  "lockfileVersion": 3,' '  "requires": true,' '  "packages": {' \
      '    "": {' '      "name": "app",' '      "version": "1.0.0",' \
      '      "dependencies": {' '        "@team/dep": "^1.0.0",' \
      '        "far": "^1.0.0",' '        "via": "^1.0.0"' '      }' '    },'
    locked node_modules/@team/dep @team/dep 1.0.0
    printf ',\n'
    locked node_modules/dep dep 1.0.0
    printf ',\n    "node_modules/far": {\n      "version": "1.0.0",\n%s\n' \
      $'      "dependencies": {\n        "dep": "^2.0.0"\n      }\n    },'
    locked node_modules/far/node_modules/dep dep 2.0.0
    printf ',\n    "node_modules/via": {\n      "version": "1.0.0",\n%s\n' \
      $'      "dependencies": {\n        "dep": "^1.0.0"\n      }\n    }'
    printf '  }\n}\n'
  } >package-lock.json
  jq -e . package.json package-lock.json >/dev/null
}

# save_patch [NAME VERSION]: a saved patch of the package.
save_patch() {
  local name=${1-dep} version=${2-1.0.0} dir
  dir=.drydock/edit/npm/${name/\//+}@$version
  rm -rf "$dir"
  drydock patch -q start "$name@$version" >/dev/null
  sed -i s/original/patched/ "$dir/index.js"
  drydock patch -q save "$name@$version" >/dev/null
}

# copy_of NAME VERSION: the directory of the copy.
copy_of() {
  local file=${1/\//+}
  printf '.drydock/patched/npm/%s-%s-%.12s\n' "$file" "$2" \
    "$(sha256sum ".drydock/patches/npm/$file@$2.patch")"
}

@test "start, edit, save: a patch, a tarball and a redirect" {
  run -0 --separate-stderr drydock patch start dep@1.0.0
  assert_equal "$output" "$edit"
  assert_equal "$(cd "$edit" && find . -type f -printf '%m %P\n' | sort | xargs)" \
    "644 index.js 644 package.json 755 bin/run.sh"
  sed -i s/original/patched/ "$edit/index.js" "$edit/bin/run.sh"
  # What npm leaves in it is no change.
  mkdir -p "$edit/node_modules/x"
  touch "$edit/node_modules/x/index.js"
  run -0 --separate-stderr drydock patch save
  assert_contains "$output" "$patch"
  assert_contains "$stderr" "commit the manifest, the lock file and .drydock"
  local copy spec
  copy=$(copy_of dep 1.0.0)
  spec=file:$copy/package.tar
  (cd "$copy" && sha256sum --quiet -c "../${copy##*/}.files")
  assert_equal "$(find "$copy" -type f -printf '%m %P\n')" "444 package.tar"
  assert_equal "$(tar -tvf "$copy/package.tar" | awk '{print $1, $2, $6}')" \
    "-rwxr-xr-x 0/0 package/bin/run.sh
-rw-r--r-- 0/0 package/index.js
-rw-r--r-- 0/0 package/package.json"
  assert_equal "$(tar -xOf "$copy/package.tar" package/index.js)" \
    'module.exports = "patched";'
  assert_equal "$(jq -c .overrides package.json)" "{\"dep@1.0.0\":\"$spec\"}"
  assert_equal "$(jq -c '.packages["node_modules/dep"]
    | .version, .resolved, .integrity' package-lock.json | xargs)" \
    "1.0.0 $spec $(integrity "$copy/package.tar")"
  # The other version stays.
  assert_contains "$(jq -r '.packages["node_modules/far/node_modules/dep"]
    .resolved' package-lock.json)" https://
  run -0 drydock patch list
  assert_equal "$output" "npm dep@1.0.0: in sync"
  in_sync 1
}

@test "a direct dependency with a scope leads to the copy, too" {
  local before copy
  before=$(content_of .)
  save_patch @team/dep
  copy=$(copy_of @team/dep 1.0.0)
  [ -e "$copy/package.tar" ]
  assert_equal "$(jq -r '.dependencies["@team/dep"]' package.json)" \
    "file:$copy/package.tar"
  assert_equal "$(jq -r '.packages[""].dependencies["@team/dep"]' \
    package-lock.json)" "file:$copy/package.tar"
  in_sync 1
  run -0 drydock patch list --json
  assert_equal "$(jq -c '.[] | [.ecosystem, .name, .version, .state]' \
    <<<"$output")" '["npm","@team/dep","1.0.0","in-sync"]'
  rm -r .drydock/edit
  run -0 drydock patch remove @team/dep
  assert_equal "$(content_of .)" "$before"
}

@test "apply in a fresh clone makes the same tarball, and then writes nothing" {
  save_patch
  save_patch @team/dep
  clone "$BATS_TEST_TMPDIR/clone"
  cd "$BATS_TEST_TMPDIR/clone"
  [ ! -e .drydock/patched ]
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" ".drydock/patched/npm/dep-1.0.0-"
  assert_contains "$output" '  run "drydock patch apply"'
  run -0 --separate-stderr drydock patch apply
  in_sync 2
  diff -r "$project/.drydock/patched" .drydock/patched
  assert_equal "$(git status --porcelain)" ""
  local before
  before=$(state_of .)
  run -0 --separate-stderr drydock patch apply
  assert_equal "$stderr" "drydock: there is nothing to change"
  assert_equal "$(state_of .)" "$before"
  run -0 drydock patch seal
  assert_equal "$(state_of .)" "$before"
}

@test "remove gives the project back as it was" {
  local before
  before=$(content_of .)
  save_patch
  save_patch @team/dep
  in_sync 2
  run -0 drydock patch remove dep
  in_sync 1
  rm -r .drydock/edit
  run -0 --separate-stderr drydock patch remove @team/dep@1.0.0
  assert_equal "$stderr" ""
  assert_equal "$(content_of .)" "$before"
}

@test "a changed copy is kept aside, and made anew" {
  local copy
  save_patch
  copy=$(copy_of dep 1.0.0)
  chmod u+w "$copy/package.tar"
  printf x >>"$copy/package.tar"
  run -1 drydock patch check
  assert_contains "$output" "$copy/package.tar: changed"
  run -0 drydock patch apply
  assert_contains "$output" "kept the changed copy .drydock/patched/npm/dep-"
  in_sync 1
  [ -e "$edit" ]
  run -0 compgen -G ".drydock/edit/npm/dep-1.0.0-*/package.tar"
  # A copy with a file more.
  touch "$copy/more"
  run -1 drydock patch check
  run -0 drydock patch apply
  in_sync 1
}

@test "check names what npm would take instead of the copy" {
  local lock manifest
  save_patch
  lock=$(<package-lock.json)
  manifest=$(<package.json)
  # The original entry comes back.
  jq --arg i "$(integrity "$(tarball dep 1.0.0)")" \
    '.packages["node_modules/dep"] |= (.integrity = $i
      | .resolved = "https://registry.test/dep/-/x-1.0.0.tgz")' \
    <<<"$lock" >package-lock.json
  run -1 drydock patch check
  assert_contains "$output" "package-lock.json: "
  assert_contains "$output" dep
  run -0 drydock patch apply
  in_sync 1
  # Another version.
  jq 'del(.packages["node_modules/dep"])' <<<"$lock" >package-lock.json
  run -1 drydock patch check
  assert_contains "$output" 'run "drydock patch remove dep@1.0.0"'
  printf '%s\n' "$lock" >package-lock.json
  # The override goes, or leads elsewhere.
  jq 'del(.overrides)' <<<"$manifest" >package.json
  run -1 drydock patch check
  assert_contains "$output" "package.json: "
  run -0 drydock patch apply
  in_sync 1
  jq '.overrides["dep@1.0.0"] = "1.0.0"' <<<"$manifest" >package.json
  run -1 drydock patch check
  assert_contains "$output" "package.json: "
  printf '%s\n' "$manifest" >package.json
  # npm reads this instead of the lock file.
  cp package-lock.json npm-shrinkwrap.json
  run -1 drydock patch check
  assert_contains "$output" npm-shrinkwrap.json
  rm npm-shrinkwrap.json
  in_sync 1
  # A lock file that cannot be read is never in sync.
  printf '{' >package-lock.json
  run -65 drydock patch check
}

@test "a launch names what apply cannot mend" {
  save_patch
  edit_json() {
    jq "$2" "$1" >new
    mv new "$1"
  }
  edit_json package.json 'del(.overrides)'
  run -77 --separate-stderr drydock shell -- true
  assert_contains "$stderr" "package.json: "
  assert_contains "$stderr" "run: drydock patch apply"
  edit_json package-lock.json 'del(.packages["node_modules/dep"])'
  run -77 --separate-stderr drydock shell -- true
  assert_contains "$stderr" "package-lock.json: "
  assert_contains "$stderr" "run: drydock patch remove dep@1.0.0"
}

@test "what cannot be patched is refused, and nothing changes" {
  local before lock manifest
  before=$(content_of .)
  lock=$(<package-lock.json)
  manifest=$(<package.json)
  run -64 --separate-stderr drydock patch start dep
  assert_contains "$stderr" "dep@1.0.0 dep@2.0.0"
  run -78 --separate-stderr drydock patch start absent
  assert_contains "$stderr" "package-lock.json has no absent"
  run -78 --separate-stderr drydock patch start dep@3.0.0
  assert_equal "$(content_of .)" "$before"
  # The user's own override.
  jq '.overrides = {dep: "1.0.0"}' <<<"$manifest" >package.json
  drydock patch -q start dep@1.0.0
  sed -i s/original/patched/ "$edit/index.js"
  run -78 --separate-stderr drydock patch save
  assert_contains "$stderr" overrides
  printf '%s\n' "$manifest" >package.json
  # An entry that another package bundles.
  jq '.packages["node_modules/dep"].inBundle = true' <<<"$lock" \
    >package-lock.json
  run -78 --separate-stderr drydock patch save
  printf '%s\n' "$lock" >package-lock.json
  # An entry below a package whose own lock file npm follows.
  jq '.packages["node_modules/via"].hasShrinkwrap = true
    | .packages["node_modules/via/node_modules/dep"] =
      .packages["node_modules/dep"]' <<<"$lock" >package-lock.json
  run -78 --separate-stderr drydock patch save
  assert_contains "$stderr" "dep 1.0.0"
  printf '%s\n' "$lock" >package-lock.json
  # A member of the workspace that depends on it directly.
  jq '.packages.one = {version: "1.0.0", dependencies: {dep: "~1.0.0"}}' \
    <<<"$lock" >package-lock.json
  run -78 --separate-stderr drydock patch save
  assert_contains "$stderr" "one, a member of the workspace, depends on dep"
  printf '%s\n' "$lock" >package-lock.json
  # A change of what npm resolves.
  printf '{}\n' >"$edit/npm-shrinkwrap.json"
  run -78 --separate-stderr drydock patch save
  assert_contains "$stderr" npm-shrinkwrap.json
  rm "$edit/npm-shrinkwrap.json"
  sed -i 's/"main"/"dependencies": {"x": "1"}, "main"/' "$edit/package.json"
  run -78 --separate-stderr drydock patch save
  assert_contains "$stderr" dependencies
  rm -r .drydock
  # A shrinkwrap.
  cp package-lock.json npm-shrinkwrap.json
  run -78 --separate-stderr drydock patch start dep@1.0.0
  assert_contains "$stderr" npm-shrinkwrap.json
  rm npm-shrinkwrap.json
  assert_equal "$(content_of .)" "$before"
}

@test "two versions of a package have their patches" {
  local before
  before=$(content_of .)
  save_patch dep 1.0.0
  save_patch dep 2.0.0
  in_sync 2
  assert_equal "$(jq -r '.packages[] | select(.resolved // "" |
    startswith("file:")) | .version' package-lock.json | xargs)" "1.0.0 2.0.0"
  run -64 --separate-stderr drydock patch remove dep
  assert_contains "$stderr" "name one of: dep@1.0.0 dep@2.0.0"
  in_sync 2
  rm -r .drydock/edit
  drydock patch -q remove dep@1.0.0
  drydock patch -q remove dep@2.0.0
  assert_equal "$(content_of .)" "$before"
  # npm cannot install them if the project has one of them itself.
  for file in package.json package-lock.json; do
    jq '(.packages[""] // .).dependencies.dep = "^1.0.0"' "$file" >new
    mv new "$file"
  done
  save_patch dep 1.0.0
  drydock patch -q start dep@2.0.0
  sed -i s/original/patched/ .drydock/edit/npm/dep@2.0.0/index.js
  run -78 --separate-stderr drydock patch save dep@2.0.0
  assert_equal "$stderr" "drydock: dep: two versions cannot be patched while\
 the project depends on one of them itself"
  in_sync 1
}

@test "other bytes in the cache are never taken" {
  local hex file
  hex=$(sha512sum "$(tarball dep 1.0.0)" | cut -d ' ' -f 1)
  file=$cache/${hex:0:2}/${hex:2:2}/${hex:4}
  chmod u+w "$file"
  printf x >>"$file"
  run -1 --separate-stderr drydock patch start dep@1.0.0
  assert_contains "$stderr" "dep"
  [ ! -e "$edit" ]
  cp "$(tarball dep 1.0.0)" "$file"
  cache_before=$(state_of "$HOME/.npm")
  run -0 drydock patch start dep@1.0.0
}

@test "crates and packages of npm beside each other" {
  local before
  printf '[package]\nname = "app"\nversion = "0.1.0"\n' >Cargo.toml
  printf 'version = 4\n\n[[package]]\nname = "app"\nversion = "0.1.0"\n' \
    >Cargo.lock
  before=$(content_of .)
  # The lock files tell whose package it is.
  save_patch
  in_sync 1
  run -78 --separate-stderr drydock patch start --ecosystem cargo dep@1.0.0
  assert_contains "$stderr" "Cargo.lock does not have dep 1.0.0"
  run -78 --separate-stderr drydock patch start absent
  assert_equal "$stderr" "drydock: no lock file has absent from a registry"
  rm -r .drydock/edit
  run -0 drydock patch remove --ecosystem npm dep
  assert_equal "$(content_of .)" "$before"
}

@test "patches that the lock has lost are removed one after the other" {
  save_patch dep 1.0.0
  save_patch @team/dep
  jq 'del(.packages["node_modules/dep", "node_modules/via",
      "node_modules/@team/dep"])
    | del(.packages[""].dependencies["via", "@team/dep"])' \
    package-lock.json >lock.new
  mv lock.new package-lock.json
  jq 'del(.dependencies["via", "@team/dep"])' package.json >manifest.new
  mv manifest.new package.json
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "drydock patch remove @team/dep@1.0.0"
  run -1 --separate-stderr drydock patch apply
  run -0 drydock patch remove @team/dep@1.0.0
  run -1 --separate-stderr drydock patch check
  assert_contains "$output" "package-lock.json: has dep 2.0.0, and not 1.0.0"
  run -0 drydock patch remove dep@1.0.0
  assert_equal "$(jq -c . package.json)" \
    '{"name":"app","version":"1.0.0","dependencies":{"far":"^1.0.0"}}'
  run -1 grep -F .drydock package-lock.json
  [ ! -e .drydock/patches.json ]
}

# make_mixed: cargo has a package dep 1.0.0, too.
make_mixed() {
  local dir=$BATS_TEST_TMPDIR/crates
  export CARGO_HOME=$BATS_TEST_TMPDIR/cargo
  local crates=$CARGO_HOME/registry/cache/index.crates.io-1949cf8c6b5b557f
  mkdir -p "$crates" "$dir/dep-1.0.0/src" src
  printf '[package]\nname = "dep"\nversion = "1.0.0"\n' \
    >"$dir/dep-1.0.0/Cargo.toml"
  printf 'pub const WORD: &str = "original";\n' >"$dir/dep-1.0.0/src/lib.rs"
  tar -C "$dir" --sort=name --owner=0 --group=0 --numeric-owner \
    --mtime=@1000000000 -cf - dep-1.0.0 | gzip -n >"$crates/dep-1.0.0.crate"
  printf 'fn main() {}\n' >src/main.rs
  printf '[package]\nname = "app"\nversion = "0.1.0"\n\n%s\n' \
    $'[dependencies]\ndep = "1.0"' >Cargo.toml
  printf 'version = 4\n\n[[package]]\nname = "app"\nversion = "0.1.0"\n%s\n' \
    $'dependencies = [\n "dep",\n]\n\n[[package]]\nname = "dep"' >Cargo.lock
  printf 'version = "1.0.0"\nsource = "registry+%s"\nchecksum = "%s"\n' \
    https://github.com/rust-lang/crates.io-index \
    "$(sha256sum "$crates/dep-1.0.0.crate" | cut -d ' ' -f 1)" >>Cargo.lock
}

# save_crate: a saved patch of the crate.
save_crate() {
  drydock patch -q start -e cargo dep >/dev/null
  sed -i s/original/patched/ .drydock/edit/cargo/dep@1.0.0/src/lib.rs
  drydock patch -q save -e cargo dep >/dev/null
}

@test "a package of both is patched in each, and named by --ecosystem" {
  local before
  make_mixed
  before=$(content_of .)
  run -64 --separate-stderr drydock patch start dep@1.0.0
  assert_contains "$stderr" "--ecosystem"
  save_crate
  # The patched one counts, too.
  run -64 --separate-stderr drydock patch start dep
  assert_contains "$stderr" "--ecosystem"
  drydock patch -q start -e npm dep@1.0.0
  sed -i s/original/patched/ "$edit/index.js"
  run -64 --separate-stderr drydock patch save dep@1.0.0
  assert_contains "$stderr" "--ecosystem"
  run -64 --separate-stderr drydock patch save
  assert_contains "$stderr" "--ecosystem"
  run -0 drydock patch save -e npm
  in_sync 2
  rm -r .drydock/edit .drydock/patched
  run -0 drydock patch apply
  in_sync 2
  run -64 --separate-stderr drydock patch remove dep@1.0.0
  assert_contains "$stderr" "--ecosystem"
  run -0 drydock patch remove -e npm dep
  in_sync 1
  run -0 drydock patch remove dep
  assert_equal "$(content_of .)" "$before"
}

@test "a crate that is patched is started again beside a lock file of npm" {
  make_mixed
  jq 'del(.packages["node_modules/dep", "node_modules/far/node_modules/dep"])' \
    package-lock.json >lock.new
  mv lock.new package-lock.json
  save_crate
  rm -r .drydock/edit
  run -0 --separate-stderr drydock patch start dep
  assert_equal "$output" .drydock/edit/cargo/dep@1.0.0
}

@test "files of npm that cannot be read leave the patches of crates alone" {
  local file
  make_mixed
  for file in package.json package-lock.json; do
    mv "$file" "$BATS_TEST_TMPDIR/real"
    ln -s "$BATS_TEST_TMPDIR/real" "$file"
    save_crate
    in_sync 1
    rm -r .drydock/edit .drydock/patched
    run -0 drydock patch apply
    in_sync 1
    run -74 --separate-stderr drydock patch start -e npm dep@1.0.0
    assert_contains "$stderr" "$file"
    run -0 drydock patch remove dep
    [ ! -e .drydock ]
    rm "$file"
    mv "$BATS_TEST_TMPDIR/real" "$file"
  done
}

@test "a lock file that cannot be read is named where it may have the package" {
  make_mixed
  printf '{\n' >package-lock.json
  run ! --separate-stderr drydock patch start absent
  assert_contains "$stderr" package-lock.json
  save_crate
  in_sync 1
}

@test "patches whose files are gone are removed one after the other" {
  local before
  before=$(content_of .)
  save_patch dep 1.0.0
  save_patch dep 2.0.0
  rm -r .drydock/patches .drydock/edit
  run -64 --separate-stderr drydock patch remove dep
  assert_contains "$stderr" "name one of: dep@1.0.0 dep@2.0.0"
  run -1 --separate-stderr drydock patch apply
  assert_contains "$stderr" "drydock patch remove dep@1.0.0"
  run -0 drydock patch remove dep@1.0.0
  run -1 drydock patch check
  assert_contains "$output" "drydock patch remove dep@2.0.0"
  run -0 drydock patch remove dep
  assert_equal "$(content_of .)" "$before"
}
