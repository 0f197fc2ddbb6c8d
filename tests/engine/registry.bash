# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Registries for package managers: trees of files, and a server of them.

# make_crates DIR URL SIZE NAME...: a sparse registry of cargo's, at URL/index/,
# whose crates have a function of their name that returns 1, and SIZE bytes that
# do not compress.
make_crates() {
  python3 - "$@" <<'END'
import gzip, hashlib, io, json, os, random, sys, tarfile
top, url, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.makedirs(top + "/crates", exist_ok=True)
os.makedirs(top + "/index", exist_ok=True)
with open(top + "/index/config.json", "w") as f:
    json.dump({"dl": url + "/crates/{crate}-{version}.crate"}, f)
for name in sys.argv[4:]:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for path, text in (
                ("Cargo.toml", f'[package]\nname = "{name}"\n'
                 'version = "1.0.0"\nedition = "2021"\n'.encode()),
                ("src/lib.rs", f"pub fn {name}() -> u32 {{ 1 }}\n".encode()),
                ("data", random.Random(name).randbytes(size))):
            info = tarfile.TarInfo(f"{name}-1.0.0/{path}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
    crate = gzip.compress(data.getvalue(), 1, mtime=0)
    with open(f"{top}/crates/{name}-1.0.0.crate", "wb") as f:
        f.write(crate)
    index = f"{top}/index/{name[:2]}/{name[2:4]}"
    os.makedirs(index, exist_ok=True)
    with open(f"{index}/{name}", "w") as f:
        json.dump({"name": name, "vers": "1.0.0", "deps": [], "features": {},
                   "cksum": hashlib.sha256(crate).hexdigest(),
                   "yanked": False}, f)
        f.write("\n")
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
