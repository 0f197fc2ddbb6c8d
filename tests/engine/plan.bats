# SPDX-License-Identifier: MIT
# The plan on a real engine: what is sealed is what was judged, and it is what
# starts; what is refused leaves nothing.

load ../helper

setup() {
  bed_setup self
}

# The plan of the one session there is.
sealed() {
  echo "$XDG_STATE_HOME"/drydock/sessions/*/plan.json
}

# What Compose makes of a file, without what it never prints.
merged() {
  docker-compose --project-name "$(jq -r .name "$1")" \
    --project-directory / --env-file /dev/null --file "$1" config \
    --format json
}

normal() {
  jq -S 'del(.services[].volumes[].bind.create_host_path)'
}

@test "the sealed plan reads back to itself, has the recorded digest, and is shown before" {
  project=$BATS_TEST_TMPDIR/'pro$ject ${X} $$'
  mkdir "$project"
  open_session sh -c 'echo ready; cat'
  local plan id
  plan=$(sealed)
  assert_equal "$(merged "$plan" | normal)" "$(normal <"$plan")"
  assert_equal "$(jq -r .plan_digest "${plan%/*}/session.json")" \
    "$(sha256sum "$plan" | cut -d ' ' -f 1)"
  jq -e 'all(.services[].volumes[]; .bind == {create_host_path: false})' \
    "$plan"
  jq -e 'all(.services[]; .pull_policy == "never" and .command == [])' "$plan"
  assert_equal "$(stat -c %a "$plan")" 600
  # By "drydock plan".
  id=$(basename "$(dirname "$plan")")
  drydock plan --json "$project" | jq -S .model |
    sed "s/00000000/$id/g" >"$BATS_TEST_TMPDIR/shown"
  sed 's/\$\$/$/g' "$plan" | normal >"$BATS_TEST_TMPDIR/sealed"
  diff <(normal <"$BATS_TEST_TMPDIR/shown") "$BATS_TEST_TMPDIR/sealed"
  close_session
}

@test "a refused session makes no container and leaves no directory" {
  mkdir "$XDG_CONFIG_HOME/drydock/policy.d"
  echo '[{rule: "closed", what: "today"}]' \
    >"$XDG_CONFIG_HOME/drydock/policy.d/closed.jq"
  # Other tests may run on the engine: only what this one made counts.
  local state
  run -77 --separate-stderr drydock shell "$project" -- true
  assert_contains "$stderr" "closed: today"
  state=$(cat "$XDG_STATE_HOME/drydock/id")
  finds_nothing docker ps -aq --filter "label=io.drydock.state=$state"
  assert_equal "$(ls "$XDG_STATE_HOME/drydock/sessions")" ""
  rm -r "$XDG_CONFIG_HOME/drydock/policy.d"
  drydock plan "$project" | grep -x 'verdict: allowed'
}

@test "the profile refuses sockets, set-id bits and calls that are not needed; git, python and node work" {
  cat >"$project/probe.py" <<'PY'
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    ctypes.set_errno(0)
    if libc.syscall(*args) < 0:
        print(name, errno.errorcode[ctypes.get_errno()])
    else:
        print(name, "ok")
def attempt(name, f):
    try:
        f()
        print(name, "ok")
    except OSError as e:
        print(name, errno.errorcode[e.errno])
for family in (1, 2, 10, 16):
    attempt("socket %d" % family, lambda: socket.socket(family, socket.SOCK_DGRAM).close())
for family in (17, 38, 40):
    call("socket %d" % family, 41, family, 1, 0)
open("/tmp/f", "w").close()
for mode in (0o755, 0o1755, 0o2755, 0o4755):
    attempt("chmod %o" % mode, lambda: os.chmod("/tmp/f", mode))
attempt("mknod 4755", lambda: os.mknod("/tmp/n", 0o104755))
attempt("open 4755", lambda: os.close(os.open("/tmp/o", os.O_CREAT | os.O_WRONLY, 0o4755)))
attempt("open 755", lambda: os.close(os.open("/tmp/p", os.O_CREAT | os.O_WRONLY, 0o755)))
call("openat2", 437, -100, b"/tmp/q", None, 0)
call("io_uring_setup", 425, 1, None)
call("unshare", 272, 0x10000000)
call("clone3", 435, None, 0)
PY
  cat >"$project/t.sh" <<'END_OF_SCRIPT'
set -e
git init -q repo && cd repo
echo x >file && git add file
git -c user.name=n -c user.email=e@e commit -q -m first
git clone -q . ../copy && git -C ../copy log --oneline | wc -l
python3 -c '
import concurrent.futures, multiprocessing, subprocess, tempfile, threading
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    assert sum(pool.map(int, range(100))) == 4950
with multiprocessing.Pool(2) as pool:
    assert pool.map(abs, [-1, -2]) == [1, 2]
with tempfile.NamedTemporaryFile() as f:
    subprocess.run(["cp", "/bin/true", f.name + "x"], check=True)
    subprocess.run([f.name + "x"], check=True)
print("python")'
node -e '
const { Worker } = require("worker_threads");
const { execFileSync } = require("child_process");
require("http").createServer().listen(0, "127.0.0.1", function () {
  this.close();
  new Worker("require(\"crypto\").randomBytes(8)", { eval: true })
    .on("exit", () => console.log("node", String(execFileSync("echo", ["ok"])).trim()));
});'
END_OF_SCRIPT
  run -0 --separate-stderr drydock shell "$project" -- \
    sh -c 'sh t.sh && python3 probe.py'
  assert_equal "$(head -n 3 <<<"$output")" "1
python
node ok"
  [ "$(uname -m)" = x86_64 ] || skip "the probe's numbers are x86_64's"
  assert_equal "$(tail -n +4 <<<"$output")" "socket 1 ok
socket 2 ok
socket 10 ok
socket 16 ok
socket 17 EPERM
socket 38 EPERM
socket 40 EPERM
chmod 755 ok
chmod 1755 ok
chmod 2755 EPERM
chmod 4755 EPERM
mknod 4755 EPERM
open 4755 EPERM
open 755 ok
openat2 ENOSYS
io_uring_setup EPERM
unshare EPERM
clone3 ENOSYS"
}
