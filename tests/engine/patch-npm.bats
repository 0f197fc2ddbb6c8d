# SPDX-License-Identifier: MIT
# Real npm and patched dependencies, in contained sessions and on the host: each
# way to install gives "patched", or npm or drydock says why not.  Most of it
# runs with DRYDOCK_TEST_TOOLCHAINS=all.

load ../helper
load registry
load patching
load patching-npm

# What the program of npm_program prints: greet and @team/greet are patched, via
# is not.
both="patched 1.0.0; patched 1.0.0; original 1.0.0, patched 1.0.0, patched 1.0.0"
none=${both//patched/original}

setup() {
  bed_setup user
  npm_setup
  npm_program "$project"
  install='. ./npm.sh; npm ci >&2; node index.js'
}

teardown() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

in_full() {
  [ "${DRYDOCK_TEST_TOOLCHAINS-}" = all ] ||
    skip "many runs of npm, in check --full"
}

# patch_both DIR [WORD]
patch_both() {
  patch_package "$1" greet "${2-patched}" &&
    patch_package "$1" @team/greet "${2-patched}"
}

# ways: $project/ways.sh runs standard input, with these:
# way "fresh|over, WAY" COMMAND...: in a copy of the project, without or with its
#   node_modules; prints "WAY: STATUS" and what the program prints then, and what
#   the command said if it failed
# kept: what the command changed in the manifest and the lock
ways() {
  {
    cat <<'END'
top=$PWD
. ./npm.sh
way() {
  local way=$1 status=0
  shift
  rm -rf /tmp/way
  cp -R "$top" /tmp/way
  case $way in
    fresh*) rm -rf /tmp/way/node_modules ;;
  esac
  (cd /tmp/way && "$@") >/tmp/out 2>&1 || status=$?
  echo "$way: $status $(cd /tmp/way && node index.js 2>/dev/null)"
  [ "$status" = 0 ] || sed 's/^/  /' /tmp/out
}
kept() {
  for file in package.json package-lock.json; do
    diff "$file" "/tmp/way/$file" || true
  done
}
below() {
  cd sub && npm "$@"
}
elsewhere() {
  cd / && npm --prefix /tmp/way "$@"
}
resolved() {
  rm package-lock.json && npm "$@"
}
END
    cat
  } >"$project/ways.sh"
  chmod a+r "$project/ways.sh"
}

# all_ways: what ways.sh prints when the program prints $both in each way, and
# manifest and lock are as they were.
all_ways() {
  sed -n 's/^way "\([^"]*\)".*/\1/p' "$project/ways.sh" |
    while IFS= read -r way; do
      printf '%s\n' "$way: 0 $both"
    done
}

@test "npm installs the patched packages, fresh and over the original ones" {
  ways <<'END'
way "fresh, ci" npm ci
kept
way "over, install" npm install
kept
way "over, update" npm update
kept
END
  # Without an override npm update would have @team/greet 1.0.1.
  npm_program "$project" greet=^1.0.0 via=^1.0.0
  none="original 1.0.0; original 1.0.0, original 1.0.0, original 1.0.0"
  both="patched 1.0.0; original 1.0.0, patched 1.0.0, patched 1.0.0"
  says "$none" in_shell "$project" "$install"
  contents >"$BATS_TEST_TMPDIR/contents"
  cp "$project"/package*.json "$BATS_TEST_TMPDIR"
  patch_both "$project"
  patch_in "$project" check
  contents | diff "$BATS_TEST_TMPDIR/contents" -
  run --separate-stderr in_shell "$project" '. ./ways.sh'
  [ "$status: $output" = "0: $(all_ways)" ] || fail "$output" "$stderr"
  refute_contains "$stderr" "drydock patch"
  patch_in "$project" remove greet
  patch_in "$project" remove @team/greet
  cmp "$project/package.json" "$BATS_TEST_TMPDIR/package.json"
  cmp "$project/package-lock.json" "$BATS_TEST_TMPDIR/package-lock.json"
}

@test "a missing copy is made, and a changed one starts no session" {
  local tar
  patch_both "$project"
  tar=$(package_of "$project" greet)
  rm -r "${project:?}/.drydock/patched"
  # With the copy changed npm itself stops, before the end tells.
  run ! --separate-stderr in_shell "$project" 'tar=$1
    . ./npm.sh
    npm ci >&2; node index.js; stat -c %a "$tar"
    chmod u+w "$tar"
    printf x | dd of="$tar" bs=1 seek=600 conv=notrunc 2>/dev/null
    rm -rf "$npm_config_cache"/_cacache node_modules
    npm ci' "$tar"
  assert_equal "$output" "$both
444"
  assert_contains "$stderr" EINTEGRITY
  assert_contains "$stderr" "$tar: changed"
  refused launch "$project" true
  assert_contains "$stderr" "$tar"
  assert_contains "$stderr" 'drydock patch apply'
  patch_in "$project" apply
  # What npm says of a copy that is not there.
  run ! --separate-stderr in_shell "$project" '. ./npm.sh
    npm ci >&2; node index.js
    rm -r .drydock/patched node_modules
    rm -rf "$npm_config_cache"/_cacache
    npm ci'
  assert_equal "$output" "$both"
  assert_contains "$stderr" ENOENT
  assert_contains "$stderr" "$tar"
}

@test "the original in the lock: the session's end tells, and no other starts" {
  npm_program "$project" greet=^1.0.0
  cp "$project"/package*.json "$BATS_TEST_TMPDIR"
  as_user cp "$project/package.json" "$project/manifest"
  as_user cp "$project/package-lock.json" "$project/original"
  patch_package "$project" greet
  as_user cp "$project/package-lock.json" "$project/patched"
  says "original 1.0.0" in_shell "$project" \
    "cp original package-lock.json; cp manifest package.json; $install"
  assert_contains "$stderr" 'leads to the original of greet 1.0.0'
  assert_contains "$stderr" 'until "drydock patch check" finds nothing'
  refused launch "$project" true
  assert_contains "$stderr" 'drydock patch apply'
  run -1 --separate-stderr patch_in "$project" check
  patch_in "$project" apply
  # The lock alone: npm follows the manifest.
  run --separate-stderr in_shell "$project" \
    'cmp patched package-lock.json; cp original package-lock.json; . ./npm.sh
    npm ci >&2; node index.js; npm install >&2; cmp patched package-lock.json'
  [ "$status: $output" = "0: patched 1.0.0" ] ||
    fail "$status: $output" "$stderr"
  # Another version.
  says "original 1.0.1" in_shell "$project" \
    '. ./npm.sh; npm install greet@1.0.1 >&2; node index.js'
  assert_contains "$stderr" 'has greet 1.0.1, and not 1.0.0'
  refused launch "$project" true
  run -1 --separate-stderr patch_in "$project" check
  assert_contains "$output" 'has greet 1.0.1, and not 1.0.0'
  assert_contains "$output" 'drydock patch remove greet@1.0.0'
  patch_in "$project" remove greet
  run -0 --separate-stderr in_shell "$project" \
    'grep -F greet-1.0.1.tgz package-lock.json'
}

# try_ways RUNNER: the ways of $project there, with the original packages in
# node_modules and manifest and lock as they were.
try_ways() {
  patch_in "$project" check
  contents >"$BATS_TEST_TMPDIR/contents"
  run --separate-stderr "$1" "$project" '. ./ways.sh'
  [ "$status: $output" = "0: $(all_ways)" ] || fail "$output" "$stderr"
  refute_contains "$stderr" "drydock patch"
  patch_in "$project" check
  # npm itself adds to its caches.
  contents | sort >"$BATS_TEST_TMPDIR/after"
  assert_equal "$(sort "$BATS_TEST_TMPDIR/contents" |
    comm -23 - "$BATS_TEST_TMPDIR/after" | sed '/_cacache\/index-/d')" ""
}

# each_way COMMAND...: a way for npm COMMAND, "fresh" and "over" by turns, which
# leaves manifest and lock as they are.
each_way() {
  local where=fresh command
  for command; do
    printf '%s\n' "way \"$where, $command\" npm $command" kept
    where=$([ "$where" = over ] && echo fresh || echo over)
  done
}

@test "each way to install has the patched packages, session and host" {
  in_full
  {
    each_way 'ci' 'install' 'update' 'update' 'install' 'ci' \
      'update greet @team/greet' 'update via' 'dedupe' 'prune' \
      'install --force' 'install --no-package-lock' 'ci --offline' \
      'install --offline' 'ci --legacy-peer-deps' 'install greet' \
      'install --install-strategy=nested' 'install --prefer-online' \
      'install --install-strategy=linked'
    cat <<'END'
way "fresh, below: ci" below ci
kept
way "over, below: update" below update
kept
way "fresh, elsewhere: install" elsewhere install
kept
way "over, elsewhere: update" elsewhere update
kept
way "fresh, new lock" resolved install
kept
way "over, new lock" resolved install
kept
way "over, other" npm install other
way "fresh, others" npm install more later newer
way "over, below: other" below install --save-dev other
way "over, lock version" npm install --lockfile-version 2
END
  } | ways
  says "$none" in_shell "$project" "$install"
  patch_both "$project"
  try_ways in_shell
  { each_way ci update install 'ci --offline'; } | ways
  try_ways on_host
}

@test "each way to install has patched packages that another package needs" {
  in_full
  npm_program "$project" via=^1.0.0
  none="original 1.0.0, original 1.0.0, original 1.0.0"
  both="original 1.0.0, patched 1.0.0, patched 1.0.0"
  {
    each_way ci install update update install ci 'update via' dedupe \
      'install --no-package-lock' 'install --offline' 'ci --offline'
    cat <<'END'
way "over, below: install" below install
kept
way "fresh, elsewhere: update" elsewhere update
kept
way "fresh, new lock" resolved install
kept
way "over, other" npm install other
way "fresh, others" npm install more later newer
END
  } | ways
  says "$none" in_shell "$project" "$install"
  patch_both "$project"
  try_ways in_shell
  # Here npm stops: it looks for the copy below the package that needs it.
  ways <<'END'
way "fresh, update" npm update greet
way "fresh, version" npm install greet@1.0.1
way "fresh, name" npm install greet
END
  run -0 --separate-stderr in_shell "$project" '. ./ways.sh'
  assert_contains "$output" "fresh, update: 254 "
  assert_contains "$output" "fresh, version: 254 "
  assert_contains "$output" "fresh, name: 1 "
  assert_contains "$output" EOVERRIDE
  assert_contains "$output" "ENOENT: no such file"
  assert_contains "$output" "$(package_of "$project" greet)"
}

@test "a sibling with the same dependency installs the original" {
  in_full
  local sibling=$BATS_TEST_TMPDIR/sibling
  says "$none" in_shell "$project" "$install"
  says "$none" on_host "$project" "$install"
  install -d -o "$BED_UID" -g "$BED_UID" "$sibling"
  cp -R "$project"/{registry,serve.*,npm.sh} "$sibling"
  npm_program "$sibling"
  npm_for "$sibling"
  cp "$sibling"/package*.json "$BATS_TEST_TMPDIR"
  patch_both "$project"
  says "$both" in_shell "$project" "$install"
  says "$both" on_host "$project" "$install"
  # Its slot is new, and takes from the host and the patched project.
  says "$none" in_shell "$sibling" "$install"
  says "$none" in_shell "$sibling" 'npm ci --offline >&2; node index.js'
  says "$none" in_shell "$sibling" '. ./npm.sh; npm install >&2; node index.js'
  says "$none" on_host "$sibling" "$install"
  says "$none" on_host "$sibling" 'npm ci --offline >&2; node index.js'
  cmp "$sibling/package.json" "$BATS_TEST_TMPDIR/package.json"
  cmp "$sibling/package-lock.json" "$BATS_TEST_TMPDIR/package-lock.json"
  [ ! -e "$sibling/.drydock" ]
}

@test "a fresh clone installs the patched packages, or npm stops" {
  in_full
  local clone=$BATS_TEST_TMPDIR/clone
  says "$none" on_host "$project" "$install"
  patch_both "$project"
  as_user sh -euc 'cd "$1" && echo node_modules >.gitignore && git init -q &&
    git add . && git -c user.name=n -c user.email=n@drydock.test \
      commit -q -m patch' sh "$project"
  clone_of "$project" "$clone"
  npm_for "$clone"
  [ ! -e "$clone/.drydock/patched" ]
  run ! --separate-stderr on_host "$clone" "$install"
  assert_contains "$stderr" ENOENT
  assert_contains "$stderr" "$(package_of "$project" greet)"
  # A launch makes the copies.
  says "$both" in_shell "$clone" "$install"
  says "$both" on_host "$clone" "$install"
  rm -r "$clone"
  clone_of "$project" "$clone"
  patch_in "$clone" apply
  says "$both" on_host "$clone" "$install"
  says "$both" in_shell "$clone" "$install"
  # The session's slot has all of it now.
  says "$both" in_shell "$clone" 'npm ci --offline >&2; node index.js'
  assert_equal "$(as_user git -C "$clone" status --porcelain)" ""
  assert_equal "$(as_user git -C "$project" status --porcelain)" ""
}

@test "what is applied again stays as it is, and another patch is installed" {
  in_full
  patch_both "$project"
  says "$both" in_shell "$project" "$install"
  find "$project" ! -path '*/node_modules*' -printf '%p %T@ %C@ %i\n' |
    sort >"$BATS_TEST_TMPDIR/before"
  run -0 --separate-stderr patch_in "$project" apply
  find "$project" ! -path '*/node_modules*' -printf '%p %T@ %C@ %i\n' |
    sort | diff "$BATS_TEST_TMPDIR/before" -
  patch_both "$project" again
  says "${both//patched/again}" in_shell "$project" \
    '. ./npm.sh; npm install >&2; node index.js'
  says "${both//patched/again}" in_shell "$project" "$install"
  patch_in "$project" check
}

# workspace: $project has the members one, which needs via, and two, which needs
# newer and with it greet 2.0.0.
workspace() {
  rm "$project"/{package*.json,index.js}
  as_user mkdir "$project/one" "$project/two"
  as_user tee "$project/package.json" >/dev/null <<'END'
{
  "name": "app",
  "workspaces": ["one", "two"]
}
END
  echo '{"name": "one", "version": "1.0.0", "dependencies": {"via": "^1.0.0"}}' |
    as_user tee "$project/one/package.json" >/dev/null
  echo '{"name": "two", "version": "1.0.0", "dependencies":
    {"newer": "^1.0.0", "one": "^1.0.0"}}' |
    as_user tee "$project/two/package.json" >/dev/null
  echo 'module.exports = require("via");' |
    as_user tee "$project/one/index.js" >/dev/null
  echo 'console.log(require("newer"));' |
    as_user tee "$project/two/index.js" >/dev/null
  echo 'console.log(require("one"));' |
    as_user tee "$project/index.js" >/dev/null
  # Its lock has greet at 1.0.0.
  run -0 --separate-stderr in_shell "$project" '. ./npm.sh
    cp package.json /tmp
    npm install greet@1.0.0 @team/greet@1.0.0 >&2
    cp /tmp/package.json . && npm install >&2'
}

@test "a workspace's members have the patched packages" {
  in_full
  workspace
  none="original 1.0.0, original 1.0.0, original 1.0.0"
  both="original 1.0.0, patched 1.0.0, patched 1.0.0"
  says "$none" in_shell "$project" "$install"
  cp "$project"/package*.json "$BATS_TEST_TMPDIR"
  {
    each_way ci install 'install -w one' 'ci -w one' 'ci -w two -w one' \
      'update via' 'install --no-package-lock'
    # npm places the other greet in another directory here.
    cat <<'END'
in_one() {
  cd one && npm "$@"
}
way "fresh, update" npm update
way "over, update" npm update
way "fresh, update -w one" npm update -w one
way "over, update -ws" npm update -ws
way "over, in one: ci" in_one ci
kept
way "fresh, in one: install" in_one install
kept
way "over, in one: update" in_one update
way "over, in one: other" in_one install other
way "over, one has more" npm install -w one more
END
  } | ways
  patch_both "$project"
  try_ways in_shell
  says "original 1.0.0, original 2.0.0" in_shell "$project" \
    '. ./npm.sh; npm ci >&2; node two/index.js'
  patch_in "$project" remove greet
  patch_in "$project" remove @team/greet
  cmp "$project/package.json" "$BATS_TEST_TMPDIR/package.json"
  cmp "$project/package-lock.json" "$BATS_TEST_TMPDIR/package-lock.json"
  says "$none" in_shell "$project" "$install"
  # npm update would give a member the original of what it needs itself.
  run -0 --separate-stderr in_shell "$project" \
    '. ./npm.sh; npm install -w one greet@1.0.0 >&2'
  run -78 --separate-stderr patch_package "$project" greet
  assert_contains "$stderr" "one, a member of the workspace, depends on greet"
  run -0 --separate-stderr in_shell "$project" true
}
