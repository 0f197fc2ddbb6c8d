# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# token: kept where only its owner can read it, and never shown.

load ../helper

setup() {
  bed_setup self
  kept=$XDG_STATE_HOME/drydock/tokens/claude
}

@test "a token is kept, told of and removed" {
  run -1 drydock token status
  assert_contains "$output" "claude setup-token"
  assert_equal "$(ls -A "$XDG_STATE_HOME")" ""
  run -0 drydock token set <<<"sk-ant-canary-1"
  refute_contains "$output" canary
  assert_equal "$(cat "$kept")" "sk-ant-canary-1"
  assert_equal "$(stat -c '%a %u' "$kept")" "600 $(id -u)"
  run -0 drydock token status
  refute_contains "$output" canary
  printf 'sk-ant-canary-2\r\n' | drydock token set
  assert_equal "$(cat "$kept")" "sk-ant-canary-2"
  assert_equal "$(ls -A "$XDG_STATE_HOME/drydock/tokens")" claude
  run -0 drydock token remove
  [ ! -e "$kept" ]
  run -1 drydock token remove
}

@test "what is no token is refused, unseen, and the last one stays" {
  echo sk-ant-first | drydock token set
  local bad
  for bad in '' 'sk-ant-two words' $'sk-ant-a\nsk-ant-b' $'sk-ant-\a' \
    another-token "sk-ant-$(printf 'x%.0s' {1..8193})"; do
    run -64 --separate-stderr drydock token set <<<"$bad"
    [ -z "$bad" ] || refute_contains "$stderr" "$bad"
    assert_equal "$(cat "$kept")" "sk-ant-first"
  done
  run -64 --separate-stderr drydock token set sk-ant-canary </dev/null
  refute_contains "$stderr" canary
  run -64 --separate-stderr drydock token sk-ant-canary </dev/null
  refute_contains "$stderr" canary
}

# Types at a prompt on a terminal, with Python's escapes; prints what the
# terminal showed.
type_at_prompt() {
  python3 - "$@" <<'EOF'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b""
typed = False
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    shown += data
    if not typed and shown.endswith(b": "):
        os.write(fd, sys.argv[1].encode().decode("unicode_escape").encode())
        typed = True
sys.stdout.write(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
}

@test "a terminal shows nothing of it" {
  run -0 type_at_prompt 'sk-ant-typef\x7fd\n\n' drydock token set
  refute_contains "$output" sk-ant-typed
  assert_equal "$(cat "$kept")" "sk-ant-typed"
}

@test "a token that was wrapped or quoted is kept whole" {
  local typed
  # With and without the marks of a paste; the last one ends with the paste.
  for typed in 'sk-ant-wrap\n  ped\n\n' '"sk-ant-wrapped"\n\n' \
    '\x1b[200~sk-ant-\nwrapped\n\x1b[201~' \
    "\\x1b[200~'sk-ant-wrap\\rped'\\x1b[201~"; do
    run -0 type_at_prompt "$typed" drydock token set
    assert_contains "$output" "claude: token kept, 14 characters"
    assert_equal "$(cat "$kept")" sk-ant-wrapped
    rm "$kept"
  done
  printf ' sk-ant-wrap\n ped \n' | drydock token set
  assert_equal "$(cat "$kept")" sk-ant-wrapped
}

# Types half a line at a prompt and interrupts it, by ^C or a signal's number;
# prints what was shown, and how the terminal was before and is afterwards.
interrupt_prompt() {
  python3 - "$@" <<'EOF'
import fcntl, os, select, signal, sys, termios, time
master, slave = os.openpty()
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    # What the tests were started with may be ignored.
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, signal.SIG_DFL)
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b""
while not shown.endswith(b": ") and select.select([master], [], [], 60)[0]:
    shown += os.read(master, 4096)
silent = not termios.tcgetattr(slave)[3] & termios.ECHO
os.write(master, b"sk-ant-canary-half")
ended, status = 0, 0
tries = 0
# One that comes between the prompt and its read(2) is not seen by that.
while not ended and tries < 600:
    if tries % 10 == 1 and sys.argv[1] == "key":
        os.write(master, b"\x03")
    elif tries % 10 == 1:
        os.kill(pid, int(sys.argv[1]))
    tries += 1
    time.sleep(0.1)
    ended, status = os.waitpid(pid, os.WNOHANG)
while select.select([master], [], [], 0)[0]:
    shown += os.read(master, 4096)
print(shown.decode())
print("silent", silent, "restored", termios.tcgetattr(slave) == before,
      "signal", os.waitstatus_to_exitcode(status))
EOF
}

@test "interrupted at the prompt, the terminal is as it was, and so is the token" {
  echo sk-ant-first | drydock token set
  local how
  for how in key 2 15 1; do
    run -0 interrupt_prompt "$how" drydock token set
    refute_contains "$output" canary
    [ "$how" != key ] || how=2
    assert_contains "$output" "silent True restored True signal -$how"
    assert_equal "$(cat "$kept")" "sk-ant-first"
    assert_equal "$(ls -A "$XDG_STATE_HOME/drydock/tokens")" claude
  done
}

# The delay lies between poll(2), which saw the text, and read(2).
@test "an interrupt that discards what was typed ends the prompt, too" {
  echo sk-ant-first | drydock token set
  run -0 interrupt_prompt key strace -qq -o /dev/null \
    -e inject=poll:delay_exit=300000 drydock token set
  assert_contains "$output" "silent True restored True signal -2"
  assert_equal "$(cat "$kept")" "sk-ant-first"
}

@test "one that others can read is not used" {
  echo sk-ant-canary | drydock token set
  chmod 0644 "$kept"
  run -65 --separate-stderr drydock token status
  assert_contains "$stderr" "you alone"
  refute_contains "$stderr" canary
}

@test "a token is one agent's, and the advice names the agent" {
  local dir=$XDG_CONFIG_HOME/drydock/agents
  (umask 077 && mkdir -p "$dir" && echo '{"command": ["aid"], "token":
    {"variable": "AID_TOKEN", "advice": "aid login"}}' >"$dir/aid.json")
  run -1 drydock token status --agent aid
  assert_contains "$output" 'then "drydock token set --agent aid"'
  drydock token set --agent aid <<<canary
  assert_equal "$(cat "${kept%/*}/aid")" canary
  [ ! -e "$kept" ]
  run -1 drydock token status
  run -64 --separate-stderr drydock token set --agent codex <<<canary
  assert_contains "$stderr" "agent codex takes no token"
}
