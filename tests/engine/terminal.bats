# SPDX-License-Identifier: MIT
# A session on a terminal.

load ../helper

setup() {
  bed_setup user
}

# on_terminal STEP... -- COMMAND...
on_terminal() {
  as_who "$BATS_TEST_DIRNAME/servers/terminal.py" "$@"
}

no_container_left() {
  [ -z "$(docker ps -aq --filter label=io.drydock.session)" ]
}

@test "bash is on a terminal of the same size, and its status comes back" {
  run -7 on_terminal 'expect:$ ' 'send:stty size; tty\r' 'expect:24 80' \
    'expect:/dev/pts/' 'send:exit 7\r' -- drydock shell "$project"
  no_container_left
}

@test "the command sees a new size of the terminal" {
  run -0 on_terminal 'expect:ready' 'size:50x132' 'expect:50 132' -- \
    drydock shell "$project" -- \
    bash -c 'trap "stty size; exit 0" WINCH; echo ready; while :; do
      sleep 0.1; done'
}

@test "an interrupt is the command's" {
  run -3 on_terminal 'expect:ready' $'send:\003' 'expect:caught' -- \
    drydock shell "$project" -- \
    bash -c 'trap "echo caught; exit 3" INT; echo ready; while :; do
      sleep 0.1; done'
}

@test "the terminal's modes are as they were" {
  run -0 on_terminal 'expect:in the session' 'expect:after' -- bash -c '
    before=$(stty -g)
    drydock shell "$1" -- sh -c "stty raw -echo; echo in the session" || exit
    [ "$before" = "$(stty -g)" ] || exit 9
    echo after' bash "$project"
}

@test "a shell ends with its terminal" {
  run on_terminal 'expect:ready' close -- \
    drydock shell "$project" -- sh -c 'echo ready; sleep 600'
  [ "$status" -ne 0 ]
  wait_for "end of the containers" no_container_left
}
