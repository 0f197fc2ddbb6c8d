# SPDX-License-Identifier: MIT
# Keys, signals and streams between a caller and a command.

load ../helper

setup() {
  bed_setup user
}

teardown() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

# on_terminal STEP... -- COMMAND...
on_terminal() {
  as_who env TERM=xterm "$BATS_TEST_DIRNAME/servers/terminal.py" "$@"
}

no_container_left() {
  finds_nothing docker ps -aq --filter label=io.drydock.session
}

# no_process TEXT: no process of the container has it in its command line.
no_process() {
  local all
  all=$(docker top "drydock-$id-agent-1" -eo pid,args) || return
  ! grep -F -- "$1" <<<"$all"
}

@test "a shell is on a terminal of the same size, left by the key, and comes back, as its status does" {
  run -0 on_terminal 'expect:$ ' 'send:stty size; tty\r' 'expect:24 80' \
    'expect:/dev/pts/' 'send:X=kept\r' 'expect:$ ' $'send:\034' \
    'expect:goes on: type "drydock attach' -- drydock shell "$project"
  cd "$project"
  run -5 on_terminal 'send:echo $X$X\r' 'expect:keptkept' 'send:exit 5\r' -- \
    drydock attach
  no_container_left
}

# started DISPOSITION COMMAND...: drydock with these signals' dispositions
# (options of env) in the background; its pid goes to $pid.
# shellcheck disable=SC2086
started() {
  rm -f "$project/pid" "$BATS_TEST_TMPDIR/out"
  as_who env $1 sh -c 'echo $$ >"$0/pid"; exec drydock shell $OPTIONS "$0" -- "$@"' \
    "$project" "${@:2}" <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" \
    2>"$BATS_TEST_TMPDIR/err" 3>&- &
  wait_for "drydock" test -s "$project/pid"
  pid=$(cat "$project/pid")
}

ended() {
  status=0
  wait $! || status=$?
}

@test "a signal reaches the command, and its output comes to the end" {
  : >"$BATS_TEST_TMPDIR/in"
  export OPTIONS=-q
  started --default-signal=INT bash -c 'trap "echo got INT" INT
    trap "echo got TERM; exit 5" TERM
    echo ready; while :; do sleep 0.05; done'
  wait_for "the command" grep -x ready "$BATS_TEST_TMPDIR/out"
  kill -INT "$pid"
  wait_for "the first signal" grep -x "got INT" "$BATS_TEST_TMPDIR/out"
  kill -TERM "$pid"
  ended
  assert_equal "$status" 5
  assert_equal "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" "got TERM"
  refute_contains "$(cat "$BATS_TEST_TMPDIR/err")" drydock:
}

@test "what the caller ignores is ignored, at the launch and after it" {
  rm -f "$BATS_TEST_TMPDIR/in"
  mkfifo "$BATS_TEST_TMPDIR/in"
  exec {in}<>"$BATS_TEST_TMPDIR/in"
  export OPTIONS=--no-banner
  started "--ignore-signal=HUP --ignore-signal=INT" \
    sh -c 'echo ready; read x; echo done; exit 4'
  until grep -x ready "$BATS_TEST_TMPDIR/out"; do
    kill -HUP "$pid"
    kill -INT "$pid"
    sleep 0.1
  done
  kill -HUP "$pid"
  kill -INT "$pid"
  sleep 0.2
  echo go >&"$in"
  ended
  assert_equal "$status" 4
  assert_equal "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" "done"
  refute_contains "$(cat "$BATS_TEST_TMPDIR/err")" contained
  exec {in}>&-
}

@test "exec is the session's own: streams, environment, statuses" {
  printf 'pass_env = GREETING\n' >"$XDG_CONFIG_HOME/drydock/drydock.conf"
  chmod 0644 "$XDG_CONFIG_HOME/drydock/drydock.conf"
  open_session sh -c 'echo ready; env; cat'
  id=$(as_who drydock list --all --json | jq -r '.[0].id')
  # With no docker to ask.
  in_it() {
    GREETING=hello DRYDOCK_DOCKER=/none as_who drydock exec "$id" -- "$@"
  }
  run -0 in_it sh -c 'echo "${USER:+named} $GREETING $CLAUDE_CONFIG_DIR $HTTPS_PROXY"
    echo "$HOME ${ANTHROPIC_API_KEY-none}"; pwd'
  assert_contains "$output" "named hello $BED/user/.claude http://"
  assert_contains "$output" "$BED/user none"
  assert_contains "$output" "$project"

  run -127 --separate-stderr in_it no-such-command
  assert_equal "$output" ""
  assert_contains "$stderr" "no-such-command: not found"
  : >"$project/text"
  run -126 --separate-stderr in_it ./text
  run -143 in_it sh -c 'kill -TERM $$'
  head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
  in_it sh -c 'cat; echo err >&2' <"$BATS_TEST_TMPDIR/in" \
    >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
  cmp "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/out"
  assert_equal "$(cat "$BATS_TEST_TMPDIR/err")" err

  # Docker's client has a key of its own, and leaves processes behind.
  run -3 on_terminal 'expect:ready' $'send:\020\021' 'expect:got 0x10 0x11' \
    $'send:\034' 'expect:quit' -- drydock exec "$id" -- bash -c 'trap "echo quit; exit 3" QUIT
    stty -icanon -ixon -echo; echo ready; read -rN2 x
    printf "got %#x %#x\n" "'"'"'${x:0:1}" "'"'"'${x:1:1}"
    while :; do sleep 0.05; done'
  local signal
  for signal in TERM KILL; do
    # shellcheck disable=SC2016 # for the other shell
    as_who sh -c 'echo $$ >"$0/pid"; exec drydock exec "$1" -- sleep 4711' \
      "$project" "$id" </dev/null >/dev/null 2>&1 3>&- &
    wait_for "sleep" sh -c \
      "docker top drydock-$id-agent-1 -eo pid,args | grep 'sleep 4711'"
    kill "-$signal" "$(cat "$project/pid")"
    status=0
    wait $! || status=$?
    assert_equal "$status" $((128 + $(kill -l "$signal")))
    wait_for "the end of sleep" no_process 'sleep 4711'
  done

  close_session
  run -64 in_it true
}

@test "a job in the background leaves the terminal to the shell" {
  run -0 on_terminal 'expect:$ ' \
    "send:drydock shell '$project' -- sh -c 'echo started; read x; echo got' >$project/log 2>&1 &\r" \
    'expect:$ ' \
    "send:until grep started $project/log; do sleep .1; done; echo it 'runs'\r" \
    'expect:it runs' 'send:echo ty""ped\r' 'expect:typed' \
    'send:sleep 1; jobs; kill %1; wait; exit\r' 'expect:Running' -- \
    env PS1='$ ' bash --norc -i
  no_container_left
}

@test "an agent that stops itself goes on" {
  run -6 on_terminal 'expect:ready' 'expect:goes on' -- drydock shell \
    "$project" -- bash -c 'echo ready; kill -STOP 0; echo goes on; exit 6'
}
