# SPDX-License-Identifier: MIT
# A session on a terminal.

load ../helper

setup() {
  bed_setup user
}

teardown() {
  if [ -S "$XDG_RUNTIME_DIR/tmux" ]; then
    in_tmux capture-pane -p -t t:0 || true
    in_tmux capture-pane -p -t t:1 || true
    in_tmux kill-server
  fi
}

# on_terminal STEP... -- COMMAND...
on_terminal() {
  as_who "$BATS_TEST_DIRNAME/servers/terminal.py" "$@"
}

no_container_left() {
  finds_nothing docker ps -aq --filter label=io.drydock.session
}

# A command that makes the terminal raw at its end.
@test "the command sees a new size, and an interrupt is its own; a dumb terminal has its modes back and nothing else" {
  cat >"$project/draw" <<'END'
trap "stty size" WINCH
trap 'echo caught; printf "\033[?1000h"; stty raw -echo; exit 3' INT
echo ready
while :; do sleep 0.1; done
END
  run -0 on_terminal 'expect:ready' 'size:50x132' 'expect:50 132' $'send:\003' \
    'expect:caught' 'expect:after' -- env TERM=dumb bash -c '
      before=$(stty -g)
      drydock shell "$1" -- bash ./draw || status=$?
      [ "$before" = "$(stty -g)" ] || exit 9
      [ "$status" = 3 ] && echo after' bash "$project"
  assert_contains "$output" $'\033[?1000h'
  assert_equal "$(tr -cd '\033' <<<"$output" | wc -c)" 1
}

@test "a shell goes on without its terminal" {
  run on_terminal 'expect:ready' close -- \
    drydock shell "$project" -- sh -c 'echo ready; sleep 600'
  detached() {
    as_who drydock list | grep detached
  }
  wait_for "a detached session" detached
  run -0 as_who drydock stop --all --force
  no_container_left
}

in_tmux() {
  as_who tmux -f /dev/null -S "$XDG_RUNTIME_DIR/tmux" "$@"
}

# shows PANE TEXT: TEXT is a whole line of the pane.
shows() {
  in_tmux capture-pane -p -t "$1" | grep -xF -- "$2"
}

# has_modes PANE MODES: insert, cursor shown, mouse.
has_modes() {
  [ "$(in_tmux display -p -t "$1" \
    '#{insert_flag} #{cursor_flag} #{mouse_standard_flag}')" = "$2" ]
}

# shell_has PANE: the shell reads what is typed there.
shell_has() {
  [ "$(in_tmux display -p -t "$1" '#{pane_current_command}')" = bash ]
}

# One terminal that has used the alternate screen before, as after less(1).
@test "a terminal is given back as it was, and its clipboard is not written" {
  cat >"$project/draw" <<'END'
printf '\033]52;c;aGVsbG8=\007\033]4294967348;c;aGVsbG8=\007'
printf '\033[4h\033[?25l\033[?1000h'
echo ready
read -r line
printf 'bye\n\033[c\033[6n'
END
  in_tmux new-session -d -s t -x 80 -y 24 "PS1='\$ ' exec bash --norc -i"
  in_tmux set -g set-clipboard on
  in_tmux send-keys -t t:0 "clear; printf '\\033[?1049h\\033[?1049l'" Enter
  in_tmux send-keys -t t:0 \
    "drydock shell '$project' -- sh ./draw 2>/dev/null" Enter
  wait_for "drawing" shows t:0 ready
  wait_for "modes" has_modes t:0 "1 0 1"

  # exec, with a terminal and with an output that alone is one.
  id=$(as_who drydock list --all --json | jq -r '.[0].id')
  in_tmux new-window -t t "PS1='\$ ' exec bash --norc -i"
  in_tmux send-keys -t t:1 "drydock exec $id -- sh -c \
    'stty size; printf \"\\033]52;c;aGVsbG8=\\007\"; exit 5'; echo end \$?" Enter
  wait_for "end of exec" shows t:1 "end 5"
  shows t:1 "24 80"
  in_tmux send-keys -t t:1 "drydock exec $id -- \
    printf '\\033]52;c;aGVsbG8=\\007\\033[6n' </dev/null; echo end \$?" Enter
  wait_for "end of exec" shows t:1 "end 0"
  in_tmux send-keys -t t:1 "echo clean" Enter
  wait_for "clean prompt" shows t:1 "\$ echo clean"
  run in_tmux show-buffer
  assert_contains "$output" "no buffers"

  # A stop from outside, and back.
  kill -TSTP "$(pgrep -P "$(in_tmux display -p -t t:0 '#{pane_pid}')")"
  wait_for "stop" shell_has t:0
  wait_for "modes" has_modes t:0 "0 1 0"
  in_tmux send-keys -t t:0 fg Enter
  wait_for "modes" has_modes t:0 "1 0 1"

  in_tmux send-keys -t t:0 Enter
  wait_for "end" shell_has t:0
  in_tmux send-keys -t t:0 "echo status \$?" Enter
  wait_for "status" shows t:0 "status 0"
  has_modes t:0 "0 1 0"
  in_tmux send-keys -t t:0 "echo clean" Enter
  wait_for "clean prompt" shows t:0 "\$ echo clean"
  # Where it was drawn last, below what was there: not on the first line.
  in_tmux capture-pane -p -t t:0 | grep -n "echo clean" |
    { IFS=: read -r row _ && [ "$row" -gt 3 ]; }
}

# has_region MODES: the second pane's insert and origin mode, and its scroll
# region.
has_region() {
  [ "$(in_tmux display -p -t t:1 "#{insert_flag} #{origin_flag}\
 #{scroll_region_upper} #{scroll_region_lower}")" = "$1" ]
}

# What the program set before the terminal came.
@test "a terminal that attaches gets the session's modes" {
  cat >"$project/draw" <<'END'
printf '\033[2J\033[4 q\033[3;10r\033[?6h\033[4h'
echo ready
read -r line
END
  in_tmux new-session -d -s t -x 80 -y 24 "exec bash --norc -i"
  in_tmux send-keys -t t:0 "drydock shell '$project' -- sh ./draw" Enter
  wait_for "drawing" shows t:0 ready
  in_tmux send-keys -t t:0 "C-\\"
  wait_for "detach" shell_has t:0
  id=$(as_who drydock list --all --json | jq -r '.[0].id')
  in_tmux new-window -t t "exec bash --norc -i"
  in_tmux send-keys -t t:1 "drydock attach $id" Enter
  wait_for "drawing" shows t:1 ready
  wait_for "the session's modes" has_region "1 1 2 9"
  run on_terminal 'expect:ready' $'send:\034' -- drydock attach "$id"
  assert_contains "$output" $'\033[4 q'
  # The terminals that leave have their own modes again.
  in_tmux send-keys -t t:1 Enter
  wait_for "end" shell_has t:1
  wait_for "its own modes" has_region "0 0 0 23"
}
