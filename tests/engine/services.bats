# SPDX-License-Identifier: MIT
# An extra service of an overlay on a real engine: the agent meets it at a
# socket, it is as contained as the agent, and it goes with the session.

load ../helper
load counter
load editing

# An image with a server of one line a question.
setup_file() {
  local base id
  counter_prefix
  cat >"$BATS_FILE_TMPDIR/serve" <<'END'
use IO::Socket::UNIX;
unlink $ARGV[0];
my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 5)
    or die "listen: $!";
while (my $c = $s->accept) {
	my $question = <$c>;
	chomp $question;
	warn "asked $question\n";
	if ($question eq "hello") {
		print $c "$ENV{GREETING}\n";
	} elsif ($question eq "devices") {
		open my $f, "<", "/proc/net/dev";
		print $c join(" ", map { /^\s*(\w+):/ ? $1 : () } <$f>), "\n";
	} elsif ($question eq "status") {
		open my $f, "<", "/proc/self/status";
		print $c map { s/\s+$//r =~ s/\s+/ /gr . "\n" }
		    grep { /^(Uid|Groups|CapBnd|NoNewPrivs|Seccomp):/ } <$f>;
	} elsif ($question =~ /^write (.*)/) {
		print $c open(my $f, ">", $1) ? "written\n" : "$!\n";
	}
	close $c;
}
END
  base=$(images_of base 0)
  id=$(docker create "$base" true)
  docker cp "$BATS_FILE_TMPDIR/serve" "$id:/serve"
  docker commit --change 'ENTRYPOINT ["/usr/bin/perl", "/serve"]' \
    --change 'CMD ["/run/services/db.sock"]' \
    --change 'ENV GREETING=hello' "$id" drydock-test-db
  docker rm "$id"
}

teardown_file() {
  docker image rm -f drydock-test-db
}

setup() {
  bed_setup user
  editing_setup
  counter_setup
  overlays=$XDG_CONFIG_HOME/drydock/compose.d
  mkdir "$overlays"
  echo 'services: { db: { image: drydock-test-db } }' >"$overlays/db.yml"
  if [ "$(id -u)" = 0 ]; then
    chown -R "$BED_UID:$BED_UID" "$XDG_CONFIG_HOME"
  fi
  chmod -R go-w "$XDG_CONFIG_HOME"
  # The answer to one question; the server may not be up yet.
  ask='use IO::Socket::UNIX; my $c;
    for (1 .. 600) {
      $c = IO::Socket::UNIX->new(Peer => "/run/services/" .
          ($ENV{SERVICE} || "db") . ".sock") and last;
      select undef, undef, undef, 0.1;
    }
    $c or die "connect: $!"; print $c "@ARGV\n"; print <$c>;'
}

# asked QUESTION...: the answers to all of them in one session.
asked() {
  # shellcheck disable=SC2016 # the session's shell
  run --separate-stderr in_session sh -ec '
    ask=$1
    shift
    for question; do
      perl -e "$ask" "$question"
    done' sh "$ask" "$@"
  [ "$status" -eq 0 ] || fail "status $status" "$stderr"
}

@test "the agent asks a service that is as contained as it, and goes with it" {
  local uid=$BED_UID
  [ "$(id -u)" = 0 ] || uid=$(id -u)
  # Another image of that name after the judge is not the one that starts.
  echo . >"$bin/edit.jq"
  echo "docker tag '$(egress_image)' drydock-test-db" >"$bin/beside"
  docker tag drydock-test-db drydock-test-kept
  asked hello status devices "write /x" "write $project/x" \
    "write /run/services/x"
  docker tag drydock-test-kept drydock-test-db
  docker image rm drydock-test-kept
  assert_equal "$output" "hello
Uid: $uid $uid $uid $uid
Groups: $uid
CapBnd: 0000000000000000
NoNewPrivs: 1
Seccomp: 2
lo
Read-only file system
No such file or directory
written"
  nothing_is_left
}

# weakened WHAT EDIT: refused, and it is the service that is not as planned.
weakened() {
  sampled || return 0
  found_out "$@"
  assert_contains "$stderr" "the db container is not as planned"
}

@test "a service that is not what was judged is found out and removed" {
  weakened Cap '.services.db.cap_drop = ["NET_RAW"]'
  weakened Seccomp '.services.db.security_opt |=
    map(if startswith("seccomp") then "seccomp:unconfined" else . end)'
  weakened network '.services.db.network_mode = "bridge"'
  weakened "expected read-only" '.services.db.read_only = false'
  weakened /mnt '.services.db.volumes +=
    [{"type": "bind", "source": "/etc", "target": "/mnt"}]'
  weakened memory 'del(.services.db.mem_limit, .services.db.memswap_limit)'
  weakened groups '.services.db.group_add = ["27"]'
  weakened image '.services.db.image = .services.agent.image'
  weakened environment '.services.db.environment.X = "y"'
  weakened "is 54321" '.services.db.user = "54321:54321"'
}

@test "a service that cannot be started ends the launch, and nothing is left" {
  echo 'services: { db: { image: drydock-test-db, working_dir: /serve } }' \
    >"$overlays/db.yml"
  run --separate-stderr in_session echo ran
  assert_equal "$status" 69
  assert_equal "$output" ""
  assert_contains "$stderr" "not a directory"
  nothing_is_left
}

@test "two services, in dood mode too" {
  echo 'services:
  db2:
    image: drydock-test-db
    command: [/run/services/db2.sock]
    environment: { GREETING: second }' >"$overlays/two.yml"
  both() {
    # shellcheck disable=SC2016 # the session's shell
    run -0 --separate-stderr in_session sh -ec \
      'perl -e "$0" hello; SERVICE=db2 perl -e "$0" hello' "$ask"
    assert_equal "$output" hello$'\n'second
  }
  both
  DRYDOCK_MODE=dood both
  nothing_is_left
}

# Whether the service's line is in what logs prints.
logged() {
  as_who drydock logs "$id" | sed -n '/^== db, stderr/,/^==/p' | grep -x "$1"
}

@test "prove compares a service with the plan; a session that was stopped has it again" {
  local pids
  # prove uses it up.
  export DRYDOCK_MEMORY=256m
  open_counter
  run -0 --separate-stderr as_who drydock prove "$id"
  assert_contains "$output" "read /proc/PID/status, db: as planned"
  assert_contains "$output" "read each /proc/PID/status, db: 2 processes"
  assert_equal "$(as_who drydock exec "$id" -- perl -e "$ask" hello)" hello
  wait_for "its log" logged "asked hello"
  pids=$(docker ps -q)
  assert_equal "$(wc -w <<<"$pids")" 3
  assert_contains "$pids" "$(as_who drydock list --json |
    jq -r '.[0].services.db' | cut -c 1-12)"
  # As an engine's end leaves it.
  # shellcheck disable=SC2086
  docker kill $pids
  wait_for "a stopped session" test_state stopped
  run -0 on_terminal 'expect:new process' 'expect:agent resumed' \
    $'send:\034' -- drydock attach
  assert_equal "$(as_who drydock exec "$id" -- perl -e "$ask" hello)" hello
  run -0 as_who drydock stop
  nothing_is_left
}

@test "a service without its session is shown, and without its agent removed" {
  local where=$XDG_STATE_HOME/drydock
  open_counter
  mv "$where/sessions/$id" "$where/away"
  run as_who drydock list
  assert_contains "$output" "(db)"
  mv "$where/away" "$where/sessions/$id"
  docker rm -f "$(docker ps -q --filter label=io.drydock.role=agent)"
  assert_equal "$(state_of "$id")" lost
  run -0 as_who drydock gc
  finds_nothing docker ps -aq
  run -0 as_who drydock stop --force "$id"
}

@test "a service that fails is told with the last lines that it wrote" {
  echo 'services: { db: { image: drydock-test-db, command: [/nowhere/db.sock] } }' \
    >"$overlays/db.yml"
  # Before the command is given, or while it runs.
  run --separate-stderr in_session sleep 3
  [ "$status" -eq 0 ] || assert_contains "$stderr" "the db container "
  assert_contains "$stderr" "(status 2)"
  assert_contains "$stderr" "  listen: No such file or directory at /serve line"
  nothing_is_left
}

@test "a volume that an image declares is memory of the session" {
  docker build --quiet --tag drydock-test-volume - <<'END' >/dev/null
FROM drydock-test-db
VOLUME /data /var/lib/own
END
  echo 'services: { db: { image: drydock-test-volume,
    tmpfs: ["/var/lib/own:rw,noexec,nosuid,nodev,mode=0777,size=1m"] } }' \
    >"$overlays/db.yml"
  run -0 --separate-stderr as_who drydock plan "$project"
  assert_contains "$output" "service db: its image declares a VOLUME, which is\
 memory and is empty after each start: /data:rw,noexec,nosuid,nodev,mode=0700"
  refute_contains "$output" "start: /var/lib/own"
  asked "write /data/x" "write /var/lib/own/x"
  assert_equal "$output" written$'\n'written
  finds_nothing docker volume ls -q
  nothing_is_left
  docker image rm drydock-test-volume >/dev/null
}
