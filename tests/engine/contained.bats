# SPDX-License-Identifier: MIT
# What a contained session is, seen from inside and from the host.

load ../helper

# One session for each of the two callers answers all plain questions.
setup_file() {
  local who
  for who in root user; do
    mkdir "$BATS_FILE_TMPDIR/$who"
    (
      BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR/$who
      bed_setup "$who"
      cp "$BATS_TEST_DIRNAME/facts.sh" "$project/facts.sh"
      chmod 0755 "$project/facts.sh"
      in_session ./facts.sh >"$BATS_TEST_TMPDIR/facts" \
        2>"$BATS_TEST_TMPDIR/err" || cat "$BATS_TEST_TMPDIR/err" >&2
    )
  done
}

setup() {
  bed_setup user
}

fact() {
  sed -n "s/^$2=//p" "$BATS_FILE_TMPDIR/$1/facts"
}

# both NAME WANT: the fact is the same for both callers.
both() {
  assert_equal "$(fact root "$1")" "$2"
  assert_equal "$(fact user "$1")" "$2"
}

@test "the loopback device is the only one" {
  both interfaces "lo "
}

@test "every capability set is empty" {
  local set
  for set in CapInh CapPrm CapEff CapBnd CapAmb; do
    both "$set" 0000000000000000
  done
}

@test "no new privileges, and a seccomp filter" {
  both NoNewPrivs 1
  both Seccomp 2
}

@test "the session runs with the caller's uid and gid and no other group" {
  assert_equal "$(fact root ids)" "0 0 0"
  assert_equal "$(fact user ids)" "$BED_UID $BED_UID $BED_UID"
}

@test "the working directory is the project under its own path" {
  local who
  for who in root user; do
    assert_equal "$(fact "$who" pwd)" "$BATS_FILE_TMPDIR/$who/project"
  done
  assert_equal "$(fact root home)" "$BED/home"
  assert_equal "$(fact user home)" "$BED/user"
}

@test "only the project, the home and /tmp can be written to" {
  both write_root no
  both write_etc no
  both write_usr no
  both write_var no
  both write_project yes
  both write_home yes
  both write_tmp yes
}

@test "a program built in /tmp runs" {
  both tmp_exec yes
}

@test "there is no set-id program and no sudo" {
  both setid ""
  both sudo no
}

@test "the tools that an agent needs are there" {
  both missing_tools ""
}

@test "sockets that leave the namespace cannot be made" {
  both vsock no
  both io_uring no
  both userns no
}

engine_files_kib() {
  du -sk "$BED/engine/data/containers" "$XDG_STATE_HOME" |
    awk '{ n += $1 } END { print n }'
}

@test "a session fills no host disk, all that it has is the caller's, and limited" {
  local before after id pid lines
  cat >"$project/limits.py" <<'PY'
import ctypes, os, resource, signal
# Each timer takes one of the uid's pending signals, which it shares with the
# host.
libc = ctypes.CDLL(None)
timer = ctypes.c_void_p()
n = 0
while n < 5000 and libc.timer_create(1, None, ctypes.byref(timer)) == 0:
    n += 1
print("signals", n <= 1024, resource.getrlimit(resource.RLIMIT_MSGQUEUE))
children = 0
try:
    while children < 5000:
        if os.fork() == 0:
            signal.pause()
        children += 1
    print("unlimited")
except BlockingIOError:
    print("processes", children < 128, flush=True)
PY
  chown "$BED_UID:$BED_UID" "$project/limits.py"
  chmod 0644 "$project/limits.py"
  before=$(engine_files_kib)
  # shellcheck disable=SC2016 # the session's shell
  DRYDOCK_TMP_SIZE=64m DRYDOCK_PIDS=128 open_session sh -c '
    head -c 256M /dev/zero 2>/dev/null >/proc/1/fd/1
    mkdir -p "$HOME/a/b" && echo x >"$HOME/a/b/c"
    git init -q "$HOME/repo"
    echo ready
    cat >/dev/null
    dd if=/dev/zero of=/tmp/big bs=1M count=128 2>&1 | grep -o "No space.*"
    stat -c %s /tmp/big
    exec python3 limits.py'
  after=$(engine_files_kib)
  id=$(docker ps -q --filter label=io.drydock.role=agent)
  pid=$(docker inspect -f '{{.State.Pid}}' "$id")
  ids=$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$pid/status")
  foreign=$(find "$XDG_STATE_HOME" "$project" ! -uid "$BED_UID")
  made=$(find "$XDG_STATE_HOME" -path '*/home/a/b/c')
  close_session
  # On the container's own stdout, which the engine keeps.
  [ $((after - before)) -lt $((100 << 10)) ] ||
    fail "grew by $((after - before)) KiB"
  assert_equal "$ids" "$BED_UID $BED_UID $BED_UID $BED_UID"
  assert_equal "$foreign" ""
  [ -n "$made" ]
  # /tmp, signals, queues and processes.
  mapfile -t lines < <(grep -vx ready "$session_lines")
  assert_equal "${lines[0]}" "No space left on device"
  [ "${lines[1]}" -le $((64 << 20)) ]
  [ "${lines[1]}" -gt $((60 << 20)) ]
  assert_equal "${lines[2]}" "signals True (262144, 262144)"
  assert_equal "${lines[3]}" "processes True"
}

@test "root as the caller is told so by the banner" {
  assert_contains "$(cat "$BATS_FILE_TMPDIR/root/err")" root
  assert_contains "$(cat "$BATS_FILE_TMPDIR/user/err")" contained
}
