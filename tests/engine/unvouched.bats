# SPDX-License-Identifier: MIT
# Only the holder's note is an end; what an agent does to its own directories
# keeps nobody out.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
}

teardown() {
  as_who drydock stop --all --force >/dev/null 2>&1 || true
}

holder_pid() {
  pgrep -P "$(docker inspect -f '{{.State.Pid}}' "drydock-$id-agent-1")"
}

is_kept() {
  wait_for "a stopped session" test_state stopped
  run -0 --separate-stderr as_who drydock gc
  assert_equal "$output" ""
  assert_equal "$(cat "$home/mine")" kept
}

starts_again() {
  rm "$home/count"
  run -0 on_terminal 'expect:new process' 'expect:agent resumed' $'send:\034' \
    -- drydock attach
  goes_on
  assert_equal "$(cat "$home/mine")" kept
}

# A viewer that stays; its status goes to $project/status.
stay() {
  rm -f "$project/status"
  { as_who "$BATS_TEST_DIRNAME/servers/terminal.py" 'expect:agent' \
      'expect:never' -- sh -c 'drydock attach; echo $? >status' \
      >/dev/null 2>&1 3>&- || true; } &
  wait_for "a viewer" test_state running
}

@test "a holder that dies, or exits without a note, leaves a session that goes on" {
  local sig signals=(SEGV)
  ! all_cases || signals+=(ABRT QUIT)
  open_counter
  as_who sh -c 'echo kept >"$0/mine"' "$home"
  for sig in "${signals[@]}"; do
    kill "-$sig" "$(holder_pid)"
    is_kept
    starts_again
  done
  # A start that is not drydock's: the holder waits, and nobody gives a command.
  docker restart --time 1 "drydock-$id-agent-1" >/dev/null
  starts_again
  # The command ends with 0, and nothing can be noted; what is in the way, and
  # in that of the sockets, is gone at the next start.
  as_who drydock exec "$id" -- sh -c 'cd /run/drydock && rm -f ended holder.sock &&
    mkdir -p ended/x holder.sock/x && cd /run/egress && rm -f egress.sock &&
    mkdir -p egress.sock/x && ln -s / all && echo 0 >~/end &&
    chmod 0 /run/egress/egress.sock /run/egress /run/drydock/ended /run/drydock'
  wait_for "a stopped session" test_state stopped
  assert_equal "$(docker inspect -f '{{.State.ExitCode}}' "drydock-$id-agent-1")" 0
  is_kept
  rm "$home/end"
  starts_again
  # With a note each status is an end.
  echo 137 >"$home/end"
  wait_for "the end" test_state ended
  run -137 on_terminal -- drydock attach "$id"
  assert_contains "$output" "ended with status 137"
  [ ! -e "$home" ]
}

@test "one that ends with its client, and whose holder dies, can be attached to" {
  # shellcheck disable=SC2016
  as_who drydock shell "$project" -- sh -c 'echo kept >~/mine; echo ready; read x' \
    >"$project/out" 2>"$project/err" < <(exec sleep 60 3>&-) 3>&- &
  wait_for "the command" grep -q ready "$project/out"
  id=$(ls "$XDG_STATE_HOME/drydock/sessions")
  home=$XDG_STATE_HOME/drydock/sessions/$id/home
  kill -SEGV "$(holder_pid)"
  wait $! || status=$?
  assert_equal "$status" 69
  assert_contains "$(cat "$project/err")" "\"drydock attach $id\" starts it again"
  is_kept
  run -0 on_terminal 'expect:$ ' 'send:cat ~/mine; exit 5\r' 'expect:kept' -- \
    sh -c 'drydock attach "$0"; echo status $?' "$id"
  assert_contains "$output" "status 5"
  [ ! -e "$home" ]
}

@test "an agent keeps nobody out: modes, its own socket, viewers of its own" {
  open_counter
  as_who sh -c 'echo kept >"$0/mine"' "$home"
  as_who drydock exec "$id" -- chmod 0 /run/drydock/holder.sock /run/drydock \
    /run/egress "$(as_who sh -c 'echo ~')"
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  goes_on
  # A socket of its own, which accepts nobody, in place of the holder's.
  as_who drydock exec "$id" -- perl -MIO::Socket::UNIX -e '
    my $path = "/run/drydock/holder.sock";
    unlink $path or die;
    IO::Socket::UNIX->new(Local => $path, Listen => 1) or die'
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  goes_on
  stay
  # shellcheck disable=SC2016
  as_who drydock exec "$id" -- perl -MIO::Socket::UNIX -e '
    my @all;
    for (1 .. 17) {
      my $s = IO::Socket::UNIX->new(Peer => "/run/drydock/holder.sock") or die;
      syswrite $s, pack("VVVVVVvv", 1, 8, 1, 0, 6, 4, 24, 80) or die;
      sysread $s, my $answer, 8 or die;
      push @all, $s;
    }
    open my $f, ">", "viewers" or die;
    print $f "17\n";
    close $f;
    sleep 60' >/dev/null 2>&1 3>&- &
  wait_for "viewers from inside" test -s "$project/viewers"
  # All of them were let in, and nobody was sent away for them.
  goes_on
  assert_equal "$(state_of "$id")" running
  run -0 on_terminal 'expect:agent first' $'send:\034' -- drydock attach
  assert_equal "$(state_of "$id")" running
  touch "$home/end"
  wait_for "the status" test -s "$project/status"
  assert_equal "$(cat "$project/status")" 7
}
