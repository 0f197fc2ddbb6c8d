# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Registries for package managers: trees of files, and a server of them.

# make_crates DIR URL SIZE NAME[@VERSION]...: a sparse registry of cargo's, at
# URL/index/, with SIZE bytes that do not compress in each crate.  A crate
# (1.0.0) has a function of its name that returns 1, and words() returns
# "original VERSION".
make_crates() {
  python3 - "$@" <<'END'
import gzip, hashlib, io, json, os, random, sys, tarfile
top, url, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.makedirs(top + "/crates", exist_ok=True)
os.makedirs(top + "/index", exist_ok=True)
with open(top + "/index/config.json", "w") as f:
    json.dump({"dl": url + "/crates/{crate}-{version}.crate"}, f)
for crate in sys.argv[4:]:
    name, _, version = crate.partition("@")
    version = version or "1.0.0"
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for path, text in (
                ("Cargo.toml", f'[package]\nname = "{name}"\n'
                 f'version = "{version}"\nedition = "2021"\n\n'
                 '[features]\nloud = []\n'.encode()),
                ("src/lib.rs", f"pub fn {name}() -> u32 {{ 1 }}\n\n"
                 "pub fn words() -> &'static str {\n"
                 f'    "original {version}"\n}}\n\n'
                 '#[cfg(feature = "loud")]\npub fn loud() {}\n'.encode()),
                ("data", random.Random(name).randbytes(size))):
            info = tarfile.TarInfo(f"{name}-{version}/{path}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
    package = gzip.compress(data.getvalue(), 1, mtime=0)
    with open(f"{top}/crates/{name}-{version}.crate", "wb") as f:
        f.write(package)
    index = f"{top}/index/{name[:2]}/{name[2:4]}"
    os.makedirs(index, exist_ok=True)
    with open(f"{index}/{name}", "a") as f:
        json.dump({"name": name, "vers": version, "deps": [],
                   "features": {"loud": []},
                   "cksum": hashlib.sha256(package).hexdigest(),
                   "yanked": False}, f)
        f.write("\n")
END
}

# make_packages DIR URL NAME@VERSION[:DEPENDENCY=RANGE[,...]]...: a registry of
# npm's, at URL.  A package exports "original VERSION", and behind it what its
# dependencies export.
make_packages() {
  python3 - "$@" <<'END'
import base64, gzip, hashlib, io, json, os, sys, tarfile
top, url = sys.argv[1:3]
for package in sys.argv[3:]:
    package, _, needed = package.partition(":")
    name, _, version = package.rpartition("@")
    needed = dict(need.split("=", 1) for need in needed.split(",") if need)
    manifest = {"name": name, "version": version, "main": "index.js"}
    if needed:
        manifest["dependencies"] = needed
    words = [f'"original {version}"', *(f'require("{n}")' for n in needed)]
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for path, text in (
                ("package.json", json.dumps(manifest, indent=2) + "\n"),
                ("index.js",
                 f'module.exports = [{", ".join(words)}].join(", ");\n')):
            info = tarfile.TarInfo("package/" + path)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    tarball = f"{name}/-/{os.path.basename(name)}-{version}.tgz"
    os.makedirs(f"{top}/{name}/-", exist_ok=True)
    text = gzip.compress(data.getvalue(), mtime=0)
    with open(f"{top}/{tarball}", "wb") as f:
        f.write(text)
    index = {"name": name, "dist-tags": {}, "versions": {}}
    if os.path.exists(f"{top}/{name}.json"):
        with open(f"{top}/{name}.json") as f:
            index = json.load(f)
    index["dist-tags"]["latest"] = version
    index["versions"][version] = {**manifest, "dist": {
        "tarball": f"{url}/{tarball}", "integrity": "sha512-" +
        base64.b64encode(hashlib.sha512(text).digest()).decode()}}
    with open(f"{top}/{name}.json", "w") as f:
        json.dump(index, f)
END
}

# serve_registry DIR: $registry is a container that serves DIR/root as
# registry.drydock.test, by https with the certificate DIR/cert at port 8443 and
# by http at port 8080.
serve_registry() {
  local dir=$1 ip
  server_files "$dir"
  registry=$(docker run -d --user 0 --volume "$dir:/srv:ro" \
    --workdir /srv/root --entrypoint python3 "$(agent_image 0)" -c '
import http.server, ssl, threading
def server(port):
    return http.server.ThreadingHTTPServer(
        ("", port), http.server.SimpleHTTPRequestHandler)
plain, secure = server(8080), server(8443)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/srv/cert", "/srv/key")
secure.socket = context.wrap_socket(secure.socket, server_side=True)
threading.Thread(target=plain.serve_forever).start()
secure.serve_forever()')
  ip=$(container_ip "$registry")
  echo "registry.drydock.test $ip" >"$BED/dns/zone"
  wait_for "the registry" curl -s "http://$ip:8080/"
  wait_for "the registry" curl -sk "https://$ip:8443/"
}

stop_registry() {
  [ -z "${registry-}" ] || docker rm -f "$registry" >/dev/null || true
  : >"$BED/dns/zone"
}

# mirror DIR URL: cargo in DIR gets what is on crates.io from there.
mirror() {
  printf '%s\n' '[source.crates-io]' 'replace-with = "other"' \
    '[source.other]' "registry = \"sparse+$2/\"" >"$1/.cargo/config.toml"
}

# loopback DIR: sourcing DIR/serve.sh LOG starts a server of DIR/registry at
# 127.0.0.1:8099 of a session.  A path may leave ".json" out.  With AWAY=yes the
# server answers as over a link of 100 Mbit/s: each answer 20 ms later, and all
# together at most 12.5 MB a second.  timed COMMAND... there prints the
# milliseconds.
loopback() {
  mkdir -p "$1/registry"
  cat >"$1/serve.py" <<'END'
import http.server, os, sys, threading, time
log = open(sys.argv[1], "a", buffering=1)
away, link, idle_from = os.environ.get("AWAY"), threading.Lock(), 0.0
def wait_for_link(size):
    global idle_from
    with link:
        idle_from = max(time.monotonic(), idle_from) + size / 12.5e6
        ready = idle_from
    time.sleep(max(0, ready - time.monotonic()))
class Handler(http.server.SimpleHTTPRequestHandler):
    def copyfile(self, source, out):
        if not away:
            return super().copyfile(source, out)
        time.sleep(0.02)
        while data := source.read(65536):
            wait_for_link(len(data))
            out.write(data)
    def end_headers(self):
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()
    def translate_path(self, path):
        path = super().translate_path(path)
        return path + ".json" if os.path.isfile(path + ".json") else path
    def log_message(self, format, *args):
        log.write(self.path + "\n")
os.chdir("registry")
http.server.ThreadingHTTPServer(("127.0.0.1", 8099), Handler).serve_forever()
END
  cat >"$1/serve.sh" <<'END'
python3 serve.py "$1" 2>&1 &
until curl -s --noproxy '*' -o /dev/null http://127.0.0.1:8099/; do
  sleep 0.1
done
timed() {
  local begin=$(date +%s%N)
  "$@"
  echo "$((($(date +%s%N) - begin) / 1000000))"
}
END
  chmod -R a+rX "$1"
  chown -R "$BED_UID:$BED_UID" "$1"
}
