# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Programs with packages of npm that are patched (see patching.bash).

# npm_setup: $host has in npm's cache the packages that programs are locked at.
# A registry at $project/registry has others, too; a session starts it and sets
# npm up by ". ./npm.sh", in $project.
npm_setup() {
  local name
  host=$BATS_TEST_TMPDIR/host
  loopback "$project"
  make_packages "$project/registry" http://127.0.0.1:8099 \
    greet@1.0.0 greet@1.0.1 greet@2.0.0 @team/greet@1.0.0 @team/greet@1.0.1 \
    via@1.0.0:greet=^1.0.0,@team/greet=^1.0.0 other@1.0.0 \
    more@1.0.0:greet=^1.0.0 later@1.0.0:greet=^1.0.1 newer@1.0.0:greet=^2.0.0
  cat >"$project/npm.sh" <<'END'
set -- /tmp/requests
. ./serve.sh
export npm_config_registry=http://127.0.0.1:8099/ npm_config_audit=false
export npm_config_fund=false npm_config_update_notifier=false
export npm_config_loglevel=error npm_config_fetch_retries=0
END
  chmod a+r "$project/npm.sh"
  as_user mkdir -p "$XDG_CONFIG_HOME/drydock/toolchains"
  echo '{"caches": [{"path": "npm", "variable": "npm_config_cache",
    "source": "npm"}]}' |
    as_user tee "$XDG_CONFIG_HOME/drydock/toolchains/npm.json" >/dev/null
  images_for_toolchains npm
  npm_for "$project"
  for name in greet-1.0.0 @team/greet-1.0.0 via-1.0.0; do
    install -D -m 0644 "$(tarball "$name")" \
      "$host/$(blob_of "$(tarball "$name")")"
  done
  chown -R "$BED_UID:$BED_UID" "$host" "$project"
}

# npm_for DIR: sessions there have a cache of npm's.
npm_for() {
  project_conf "$1" <<<'toolchains = npm'
}

# tarball NAME-VERSION: the file of the registry.
tarball() {
  printf '%s\n' "$project/registry/${1%-*}/-/${1##*/}.tgz"
}

# blob_of FILE: where npm's cache has its bytes.
blob_of() {
  local hex
  hex=$(sha512sum "$1" | cut -d ' ' -f 1)
  printf '_cacache/content-v2/sha512/%s\n' "${hex:0:2}/${hex:2:2}/${hex:4}"
}

# npm_program DIR [DEPENDENCY=RANGE...]: a program that prints what its
# dependencies export, of greet, @team/greet and via at ^1.0.0 if none is named.
# Its lock has them at 1.0.0, as npm writes it.
npm_program() {
  mkdir -p "$1/sub"
  python3 - "$project/registry" "$@" <<'END'
import json, sys
registry, top = sys.argv[1:3]
needed = dict(need.split("=", 1) for need in sys.argv[3:]) or {
    name: "^1.0.0" for name in ("@team/greet", "greet", "via")}
root = {"name": "app", "version": "0.1.0", "dependencies": needed}
packages = {"": root}
names = {*needed, *(("greet", "@team/greet") if "via" in needed else ())}
for name in sorted(names):
    with open(f"{registry}/{name}.json") as f:
        entry = json.load(f)["versions"]["1.0.0"]
    packages["node_modules/" + name] = package = {
        "version": "1.0.0", "resolved": entry["dist"]["tarball"],
        "integrity": entry["dist"]["integrity"]}
    if "dependencies" in entry:
        package["dependencies"] = dict(sorted(entry["dependencies"].items()))
def write(name, value):
    with open(f"{top}/{name}", "w") as f:
        json.dump(value, f, indent=2)
        f.write("\n")
write("package.json", root)
write("package-lock.json", {
    "name": "app", "version": "0.1.0", "lockfileVersion": 3, "requires": True,
    "packages": packages})
with open(f"{top}/index.js", "w") as f:
    f.write("console.log([" + ", ".join(
        f'require("{name}")' for name in needed) + '].join("; "));\n')
END
  chown -R "$BED_UID:$BED_UID" "$1"
}

# patch_package DIR NAME [WORD]: its 1.0.0 exports WORD (patched) instead of
# original.
patch_package() {
  local edit
  edit=$(patch_in "$1" start "$2@1.0.0") || return
  as_user sed -i -E "s/\"[a-z]+ 1\.0\.0\"/\"${3-patched} 1.0.0\"/" \
    "$1/$edit/index.js" || return
  patch_in "$1" save || return
  rm -r "${1:?}/$edit"
}

# package_of DIR NAME: the patched copy's package.tar, below DIR.
package_of() {
  (cd "$1" &&
    echo .drydock/patched/npm/"${2/\//+}"-1.0.0-????????????/package.tar)
}
