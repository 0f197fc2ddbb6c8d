# SPDX-License-Identifier: MIT
# drydock prove: a session keeps every promise, and every test of a promise
# notices a session that does not keep it.

load ../helper

shared() {
  bed_dirs "$BATS_FILE_TMPDIR/shared"
  # shellcheck disable=SC2034 # helper.bash's
  who=user
}

# The user's session, which the tests share: each leaves it as it was, or ends it.
setup() {
  # prove uses these up.
  export DRYDOCK_MEMORY=256m DRYDOCK_TMP_SIZE=32m
  bed_guard && shared
}

teardown() {
  [ -n "${BATS_TEST_COMPLETED-}" ] || stop_all
}

teardown_file() {
  bed_guard && shared && stop_all
}

stop_all() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

# open_proved: a session that lives on; $id is its id, $dir its directory.
open_proved() {
  as_who drydock shell "$project" -- sh -c 'echo ready; exec sleep 3600' \
    </dev/null >"$BATS_FILE_TMPDIR/lines" 2>"$BATS_FILE_TMPDIR/err" 3>&- &
  wait_for "session ready" grep -x ready "$BATS_FILE_TMPDIR/lines" || {
    cat "$BATS_FILE_TMPDIR/err" >&2
    return 1
  }
  id=$(as_who drydock list --all --json | jq -r '.[0].id')
  dir=$XDG_STATE_HOME/drydock/sessions/$id
}

# share_proved: the session that is there, or a new one.
share_proved() {
  id=$(as_who drydock list --all --json 2>/dev/null | jq -r '.[0].id // ""') ||
    true
  dir=$XDG_STATE_HOME/drydock/sessions/$id
  [ -z "$id" ] || return 0
  rm -rf "$BATS_FILE_TMPDIR/shared"
  mkdir -p "$BATS_FILE_TMPDIR/shared"
  BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR/shared bed_setup user && open_proved
}

# weaken FILTER: changes the sealed plan, as if it had been judged so.
weaken() {
  local text digest
  text=$(jq "$1" "$dir/plan.json")
  printf '%s\n' "$text" >"$dir/plan.json"
  digest=$(sha256sum <"$dir/plan.json")
  text=$(jq --arg digest "${digest%% *}" '.plan_digest = $digest' \
    "$dir/session.json")
  printf '%s\n' "$text" >"$dir/session.json"
}

# prove_breaks PROMISE...: each is BROKEN, and the status and message say so.
prove_breaks() {
  local name
  run -77 --separate-stderr as_who drydock prove "$id"
  for name; do
    grep "^BROKEN   $name: " <<<"$output" >/dev/null ||
      fail "not broken: $name" "$output" "$stderr"
    assert_contains "${stderr##*broken or unknown:} " " $name "
  done
}

# The live session alone is there, and works.
only_the_session() {
  assert_equal "$(ls "$XDG_STATE_HOME/drydock/sessions")" "$id"
  assert_equal "$(docker ps -aq --filter label=io.drydock.session | wc -l)" 2
  run -0 as_who drydock exec "$id" -- echo works </dev/null
  assert_equal "$output" works
}

@test "a session keeps every promise, and is left as it was" {
  local before
  share_proved
  as_who sh -c 'echo mine >"$0/file"; echo mine >"$1/file"' "$project" \
    "$dir/home"
  before=$(cd "$dir" && find home "$project" | sort)
  run -0 --separate-stderr as_who drydock prove "$id"
  assert_equal "$stderr" ""
  assert_equal "$(grep -c '^held ' <<<"$output")" \
    "$(grep -c '^[a-zB]' <<<"$output")"
  assert_contains "$output" "connect, 169.254.169.254:80: Network is unreachable"
  assert_contains "$output" "write to new pages, more than planned: killed for\
 memory after "
  assert_contains "$output" "fallocate in /tmp, more than planned: No space left\
 on device after "
  assert_contains "$output" "fork, until it fails: Resource temporarily"
  assert_equal "$(cd "$dir" && find home "$project" | sort)" "$before"
  only_the_session
  run -0 as_who drydock list --all
  assert_equal "$(grep -c " contained " <<<"$output")" 1
}

@test "what a killed drydock leaves is collected, and the session goes on" {
  local pid
  share_proved
  # shellcheck disable=SC2016 # for the other shell
  as_who sh -c 'echo $$ >"$0/pid"; exec drydock prove "$1"' "$project" "$id" \
    >/dev/null 2>&1 3>&- &
  four() {
    [ "$(docker ps -q --filter label=io.drydock.session | wc -l)" = 4 ]
  }
  wait_for "the fresh containers" four
  pid=$(cat "$project/pid")
  assert_equal "$(cat "/proc/$pid/comm")" drydock
  kill -KILL "$pid"
  wait $! || status=$?
  assert_equal "$status" 137
  alone() {
    as_who drydock gc >/dev/null 2>&1
    [ "$(ls "$XDG_STATE_HOME/drydock/sessions")" = "$id" ]
  }
  wait_for "collection" alone
  only_the_session
}

# Each weakening of the next test begins with the plan that was sealed.
weaken_again() {
  cp -p "$BATS_TEST_TMPDIR/sealed/"* "$dir"
  weaken "$1"
}

@test "what an engine would do for another plan is noticed" {
  share_proved
  mkdir "$BATS_TEST_TMPDIR/sealed"
  cp -p "$dir/plan.json" "$dir/session.json" "$BATS_TEST_TMPDIR/sealed"
  # A network, a name server and an address of IPv6; a proxy that does not end
  # with its agent.
  weaken '.services.agent.network_mode = "host" |
    .services.egress.entrypoint |= map(select(. != "--lease"))'
  prove_breaks namespaces loopback gateway metadata dns-udp dns-tcp ipv6 \
    lease configuration
  only_the_session
  # What the seccomp profile refuses, and limits that are not there.
  weaken_again '.services.agent |= (.security_opt = ["no-new-privileges:true",
      "seccomp=unconfined"] |
    del(.mem_limit, .memswap_limit, .pids_limit) |
    .tmpfs = ["/tmp:rw,exec,nosuid,nodev,mode=1777"])'
  prove_breaks same-plan socket-families vsock user-namespaces setuid keyrings \
    memory pids tmp
  # The host's sockets and files.
  weaken_again '.services.agent |= (.volumes += [
    {type: "bind", source: "'"$BED/engine"'", target: "'"$BED/engine"'",
      read_only: true},
    {type: "bind", source: "'"${dir%/*}"'", target: "'"${dir%/*}"'",
      read_only: true}])'
  prove_breaks mounts engine-socket links other-proxy
  cp -p "$BATS_TEST_TMPDIR/sealed/"* "$dir"
  only_the_session
}

@test "what became of the session since its start is noticed, and one that has ended is refused" {
  share_proved
  net_pid=$(docker inspect -f '{{.State.Pid}}' "drydock-$id-agent-1")
  nsenter --net="/proc/$net_pid/ns/net" \
    ip link add prove0 type veth peer name prove1
  mount --namespace "/proc/$net_pid/ns/mnt" -t tmpfs none /mnt
  echo drydock-prove.test >>"$XDG_CONFIG_HOME/drydock/allowlist"
  chown "$BED_UID:$BED_UID" "$XDG_CONFIG_HOME/drydock/allowlist"
  docker update --pids-limit 1000 "drydock-$id-agent-1" >/dev/null
  docker exec -d -u 0 --privileged "drydock-$id-agent-1" sleep 600
  weaken '.services.agent.environment.MORE = "1" |
    .services.egress.group_add = ["7"]'
  as_who cp -a "$dir/home" "$dir/home.new"
  as_who mv "$dir/home" "$dir/home.old"
  as_who mv "$dir/home.new" "$dir/home"
  # The proxy lets a name through.
  prove_breaks proxy identity devices limits mounts sources configuration \
    every-process
  as_who mv "$dir/home" "$dir/home.new"
  as_who mv "$dir/home.old" "$dir/home"
  # Last, because the facts of a stopped container cannot be read: that alone
  # breaks most of the promises above.
  docker stop -t 0 "drydock-$id-egress-1" >/dev/null
  prove_breaks process proxy-answers
  stop_all
  run -1 --separate-stderr as_who drydock prove "$project"
}

# Without a session: the holder itself refuses such a root.
@test "guardrails that can be written and the host's processes are noticed" {
  local libexec
  libexec=$(cat "$BED/prefix")/libexec/drydock
  run -0 docker run --rm --network none --user 0:0 --pid host \
    --volume "$libexec:/probe:ro" --entrypoint /probe/holder \
    "$(agent_image "$BED_UID")" prove -- project=/tmp elsewhere=/none \
    engine=/none "host-pid=$$" memory=1 pids=1 tmp=1
  # What uses up more than these limits succeeds, and goes no further.
  assert_contains "$output" $'memory\twrite to new pages\tmore than planned\t'"\
succeeded after 33554432 of 1 bytes"$'\tBROKEN'
  assert_contains "$output" $'tmp\tfallocate in /tmp\tmore than planned\t'"\
succeeded after 33554432 of 1 bytes"$'\tBROKEN'
  assert_contains "$output" $'pids\tfork\tuntil it fails\tSuccess after 2'"\
 processes"$'\tBROKEN'
  assert_contains "$output" $'signals\tkill(0)\t'"$$"$'\tsucceeded\tBROKEN'
  assert_contains "$output" $'guardrails\tstatvfs\t/\twritable\tBROKEN'
  assert_contains "$output" $'prove\tsucceeded\tBROKEN'
}

@test "root's session keeps every promise, too; what root and capabilities can do is noticed" {
  local name words
  # Another user than root could not reach the socket of such a holder.
  stop_all
  bed_setup root
  open_proved
  run -0 --separate-stderr as_who drydock prove --json "$id"
  assert_equal "$stderr" ""
  assert_equal "$(jq -r '[.[].verdict] | unique | .[]' <<<"$output")" held
  assert_equal "$(jq '[.[].attempts | length] | min > 0' <<<"$output")" true
  # Each is broken in a test of this file.
  words=$(sed -n '/^@test "what an engine/,$p' "$BATS_TEST_FILENAME" |
    tr -s " '\\\\" '\n')
  for name in $(jq -r '.[].promise' <<<"$output"); do
    grep -xF -- "$name" <<<"$words" >/dev/null || fail "no test breaks $name"
  done
  weaken '.services.agent |= (del(.cap_drop) | .privileged = true |
    .security_opt = ["seccomp=unconfined"])'
  prove_breaks same-plan raw-sockets new-mounts setuid device-nodes \
    kernel-files
  only_the_session
  stop_all
}
