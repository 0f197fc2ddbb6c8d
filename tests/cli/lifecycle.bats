# SPDX-License-Identifier: MIT
# What the engine says of sessions, each question in turn answered wrongly:
# nothing that is live or stopped is touched.

load ../helper
load stub

setup() {
  bed_setup self
  stub_setup
  mv "$script/image-inspect.out" "$script/images"
  export DRYDOCK_ENGINE_TIMEOUT=2s DRYDOCK_LAUNCH_TIMEOUT=2s
  drydock list >/dev/null
  state=$(cat "$XDG_STATE_HOME/drydock/id")
  sessions=$XDG_STATE_HOME/drydock/sessions
  other=$BATS_TEST_TMPDIR/other
  mkdir "$other"
  session aaaa1111 "$(printf 'a%.0s' {1..64})"
  session bbbb2222 "$(printf 'b%.0s' {1..64})"
  # One runs, one was stopped with its engine; the third launch died early.
  mkdir -m 0700 "$sessions/dead3333"
  containers aaaa1111 bbbb2222 >"$script/inspect.out"
  jq '[.[] | {Id, Labels: .Config.Labels}]' "$script/inspect.out" \
    >"$script/ps.out"
  rm -rf "$script/calls"
}

teardown() {
  stub_teardown
}

session() {
  mkdir -m 0700 "$sessions/$1" "$sessions/$1"/{home,run,egress,sidecar}
  echo work >"$sessions/$1/home/work"
  cat >"$sessions/$1/session.json" <<END
{"version":1,"id":"$1","project":"$project","agent":"claude",
"mode":"contained","mode_reason":"the default","kind":"run",
"engine_id":"stub","engine_data_root":"$script",
"engine_socket":"$DRYDOCK_ENGINE","agent_container":"$2",
"created_at":"2026-01-01T00:00:00Z","launched_at":"2026-01-01T00:00:01Z",
"ends_with_client":false}
END
}

# containers RUNNING STOPPED: what inspect answers of both.
containers() {
  printf '[%s,%s]\n' "$(container "$1" running true 0)" \
    "$(container "$2" exited false 143)"
}

# container SESSION STATUS RUNNING CODE
container() {
  local id pid=0
  printf -v id "${1:0:1}%.0s" {1..64}
  [ "$2" != running ] || pid=1
  cat <<END
{"Id":"$id","Name":"/x","Image":"sha256:$(printf 'c%.0s' {1..64})",
"Path":"x","Args":[],
"State":{"Status":"$2","Running":$3,"Pid":$pid,"ExitCode":$4,
"OOMKilled":false,"Error":"","StartedAt":"2026-01-01T00:00:00Z",
"FinishedAt":"0001-01-01T00:00:00Z"},
"Config":{"Env":[],"Entrypoint":["x"],"Cmd":null,"WorkingDir":"","User":"",
"Labels":{"io.drydock.session":"$1","io.drydock.state":"$state",
"io.drydock.role":"agent"}},
"HostConfig":{"NetworkMode":"none"}}
END
}

untouched() {
  local id
  for id in aaaa1111 bbbb2222; do
    assert_equal "$(cat "$sessions/$id/home/work")" work
    [ -e "$sessions/$id/session.json" ]
  done
  [ ! -e "$script/calls/rm.1" ]
  [ ! -e "$script/calls/stop.1" ]
  [ ! -e "$script/calls/start.1" ]
}

states() {
  drydock list --all --json 2>/dev/null |
    jq -r '.[] | "\(.id) \(.state)"' | tr '\n' ' '
}

# each_command STATUS: every command that asks, with what must hold after it;
# STATUS is that of those that only tell what they know.
each_command() {
  local stop_status form
  for form in '' --json; do
    # shellcheck disable=SC2086
    run --separate-stderr drydock list --all $form
    [ "$status" -eq "$1" ] || fail "list: $status" "$output"
    # What is known is told all the same.
    assert_contains "$output" aaaa1111
    assert_contains "$output" bbbb2222
  done
  run drydock gc
  [ "$status" -eq "$1" ] || fail "gc: $status" "$output"
  run drydock run "$project" </dev/null
  [ "$status" -ne 0 ]
  # One that has no session there is launched, and so collects first.
  run drydock run "$other" </dev/null
  [ "$status" -ne 0 ]
  run script -qec "drydock attach aaaa" /dev/null </dev/null
  [ "$status" -ne 0 ]
  stop_status=0
  drydock stop bbbb2222 </dev/null >/dev/null 2>&1 || stop_status=$?
  [ "$stop_status" -ne 0 ]
  untouched
}

@test "an engine that answers: one runs, one is stopped, one died early" {
  assert_equal "$(states)" \
    "aaaa1111 detached bbbb2222 stopped dead3333 ended "
  run -64 drydock stop bbbb2222 </dev/null
  run -0 drydock gc
  assert_equal "$output" "dead3333 removed"
  untouched
  # One question for all candidates; list --all has asked twice.
  [ ! -e "$script/calls/ps.5" ]
  # What it was started from is not known.
  run -65 script -qec "drydock attach bbbb2222" /dev/null </dev/null
  assert_contains "$output" "its record names no plan"
  untouched
}

@test "a session is named by its directory, or is the only one there is" {
  local place
  # A home is no project, and is not asked about here.
  cd "$HOME"
  run -64 --separate-stderr drydock logs
  assert_contains "$stderr" "2 sessions of all projects: name one"
  cd "$other"
  run -1 --separate-stderr drydock logs
  assert_contains "$stderr" "no session of $other"
  run -64 --separate-stderr drydock exec "$project" -- true
  assert_contains "$stderr" "2 sessions of $project: name one"
  run -1 --separate-stderr drydock logs "$other"
  assert_contains "$stderr" "no session of $other"
  # A word without a slash is an id first, then a directory.
  mkdir aaaa subdir
  run -1 --separate-stderr drydock logs subdir
  assert_contains "$stderr" "no session of $other/subdir"
  run -64 --separate-stderr drydock logs nowhere
  run --separate-stderr drydock logs aaaa
  refute_contains "$stderr" "no session of"
  mv "$sessions/bbbb2222" "$BATS_TEST_TMPDIR"
  local answer
  for answer in ps inspect; do
    jq '.[:1]' "$script/$answer.out" >"$script/one"
    mv "$script/one" "$script/$answer.out"
  done
  mkdir -m 0700 "$sessions/aaaa1111/sidecar/log"
  echo "its only session" >"$sessions/aaaa1111/sidecar/log/access.log"
  for place in "$HOME" "$project"; do
    cd "$place"
    run -0 --separate-stderr drydock logs
    assert_contains "$output" "its only session"
  done
  # Ending needs a name.
  cd "$other"
  run -1 --separate-stderr drydock stop
  assert_contains "$stderr" "no session of $other"
  [ ! -e "$script/calls/stop.1" ]
}

# ask COMMAND: on a terminal where it needs one.
ask() {
  # shellcheck disable=SC2086
  case $1 in
    attach*) run script -qec "drydock $1" /dev/null </dev/null ;;
    *) run drydock $1 </dev/null ;;
  esac
}

# Of a launch: there are images, which are looked at first, and Compose fails
# after the collection.
with_images() {
  cp "$script/images" "$script/image-inspect.out"
  rm "$script"/compose-config.exec
  echo 15 >"$script/compose-config.rc"
}

# The calls that COMMAND makes of an engine that answers well, as KEY.N; of
# Compose's version nobody waits where it is not needed.
questions_of() {
  rm -rf "$script/calls"
  ask "$1"
  find "$script/calls" -type f ! -name '*.env' ! -name '.*' \
    ! -name 'compose-version.*' -printf '%f\n' | sort
}

# lie HOW CALL: that call alone is answered so; fails where it cannot be.
lie() {
  local here=$script/$2
  case $1 in
    fails)
      echo 1 >"$here.rc"
      echo "it does not work" >"$here.err"
      ;;
    # Compose is a program: of an engine's lies it knows few.
    hangs) echo hang >"$here.fault" ;;
    half)
      case $2 in compose-*) return 1 ;; esac
      # An empty list is no longer than this.
      echo "cut 1" >"$here.fault"
      ;;
    head)
      case $2 in compose-*) return 1 ;; esac
      echo "cut-head 40" >"$here.fault"
      ;;
    chunk)
      case $2 in compose-*) return 1 ;; esac
      echo "cut-chunk 10" >"$here.fault"
      ;;
    garbage) printf '\001\377{]}' >"$here.out" ;;
    words) echo "Error response from daemon: no" >"$here.out" ;;
    error)
      case $2 in compose-*) return 1 ;; esac
      echo "message no" >"$here.fault"
      ;;
  esac
}

@test "each question of list, gc, run and attach, answered in each wrong way" {
  [ "$(id -u)" != 0 ] || skip "the answers do not depend on who asks"
  local command call calls how ways asked=0
  local -A seen=()
  export DRYDOCK_ENGINE_TIMEOUT=60s DRYDOCK_LAUNCH_TIMEOUT=60s
  cat >"$script/info.out" <<END
{"ID":"stub","DockerRootDir":"$script","ServerVersion":"26.1.5",
"OperatingSystem":"Stub","OSType":"linux","CgroupVersion":"2",
"SecurityOptions":["name=seccomp,profile=builtin"]}
END
  for command in "list --all" "list --all --json" gc "run $project" \
    "attach aaaa" "attach bbbb" "stop bbbb" "run $other"; do
    [ "$command" != "run $other" ] || with_images
    mapfile -t calls < <(questions_of "$command")
    untouched
    echo "# $command: ${calls[*]}" >&3
    assert_contains "${calls[*]} " "info.1 "
    for call in "${calls[@]}"; do
      # What is no answer is found out by who reads it, the same for all
      # commands; each must bear that there is none.
      ways="fails"
      ! all_cases || ways+=" hangs garbage"
      if [ -z "${seen[${call%.*}]-}" ]; then
        ways="fails hangs garbage half words error head chunk"
      fi
      [ "$command" != "list --all --json" ] || ways=garbage
      for how in $ways; do
        lie "$how" "$call" || continue
        [ -e "$sessions/dead3333" ] || mkdir -m 0700 "$sessions/dead3333"
        rm -rf "$script/calls"
        # A busy machine may take what is waited for here for the others.
        if [ "$how" = hangs ]; then
          DRYDOCK_ENGINE_TIMEOUT=300ms DRYDOCK_LAUNCH_TIMEOUT=1s \
            ask "$command"
        else
          ask "$command"
          [ -e "$script/calls/$call" ] || fail "$command: no $call" "$output"
        fi
        case $command in
          list* | gc)
            [ "$status" = 69 ] ||
              fail "$command, $call $how: $status" "$output"
            ;;
          *) [ "$status" -ge 64 ] && [ "$status" -le 78 ] ||
            fail "$command, $call $how: $status" "$output" ;;
        esac
        case $command in
          list*)
            # What is known is told all the same.
            assert_contains "$output" aaaa1111
            assert_contains "$output" bbbb2222
            ;;
        esac
        untouched
        # What died early is not taken either: nothing is known.
        case $call in
          info.* | ps.* | inspect.*) [ -e "$sessions/dead3333" ] ||
            fail "$command, $call $how: collected" "$output" ;;
        esac
        rm -f "$script/$call".*
        asked=$((asked + 1))
      done
      seen[${call%.*}]=1
    done
  done
  echo "# $asked wrong answers" >&3
}

@test "an empty list from another engine, also of the same id" {
  local who root
  mkdir "$BATS_TEST_TMPDIR/root"
  echo '[]' >"$script/ps.out"
  for who in "other $script" "stub $BATS_TEST_TMPDIR/root"; do
    root=${who#* }
    cat >"$script/info.out" <<END
{"ID":"${who%% *}","DockerRootDir":"$root","ServerVersion":"26.1.5",
"OperatingSystem":"Stub","OSType":"linux","CgroupVersion":"2",
"SecurityOptions":["name=seccomp,profile=builtin"]}
END
    assert_contains "$(states)" "aaaa1111 foreign engine bbbb2222 foreign engine"
    each_command 0
  done
}

@test "an empty list from the same engine: the sessions are lost, and stay" {
  echo '[]' >"$script/ps.out"
  assert_contains "$(states)" "aaaa1111 lost bbbb2222 lost"
  run -0 drydock gc
  untouched
  run -1 drydock stop bbbb2222
  untouched
  # By its own id the engine knows it.
  jq '[.[] | select(.Id | startswith("b"))]' "$script/inspect.out" \
    >"$script/b.out"
  mv "$script/b.out" "$script/inspect.out"
  run -69 drydock stop --force bbbb2222
  assert_contains "$output" "session bbbb2222 is not lost"
  untouched
  echo '[]' >"$script/inspect.out"
  run -0 drydock stop --force bbbb2222
  [ ! -e "$sessions/bbbb2222" ]
}

@test "one session that cannot be removed does not keep the others" {
  local attributes=
  session cccc4444 "$(printf 'c%.0s' {1..64})"
  sed -i 's/"launched_at":"[^"]*",//; s/"agent_container":"[^"]*",//' \
    "$sessions/cccc4444/session.json"
  if [ "$(id -u)" = 0 ]; then
    chattr +i "$sessions/cccc4444/home/work" 2>/dev/null ||
      skip "this file system knows no immutable files"
    attributes=1
  else
    skip "needs root: chattr"
  fi
  run --separate-stderr drydock gc
  # shellcheck disable=SC2154
  [ -z "$attributes" ] || find "$XDG_STATE_HOME" -name work -exec chattr -i {} +
  assert_contains "$output" "dead3333 removed"
  assert_equal "$(grep -c warning <<<"$stderr")" 1
  untouched
}

@test "whether a project has a session is not known from a damaged record" {
  local said
  rm -rf "$sessions/bbbb2222"
  printf '{"version":1,' >"$sessions/aaaa1111/session.json"
  cd "$project"
  for said in attach stop; do
    run -65 drydock "$said" </dev/null
    assert_contains "$output" "session aaaa1111 may be one of this project, \
but cannot be read: "
    assert_contains "$output" "cannot tell whether $project has a session"
  done
  # Another one is asked for, but not without a word.
  run drydock run </dev/null
  assert_contains "$output" "session aaaa1111 may be one of this project"
  [ -e "$sessions/aaaa1111/home/work" ]
  # One that is known is meant.
  session bbbb2222 "$(printf 'b%.0s' {1..64})"
  run -64 drydock run </dev/null
  assert_contains "$output" "the project has sessions"
  assert_contains "$output" "session aaaa1111 may be one of this project"
}

@test "a proxy's log that cannot be read is told" {
  mkdir "$sessions/aaaa1111/sidecar/log"
  run -0 drydock logs aaaa
  echo "1 CONNECT here.example" >"$sessions/aaaa1111/sidecar/log/access.log"
  run -0 drydock logs aaaa
  assert_contains "$output" here.example
  rm "$sessions/aaaa1111/sidecar/log/access.log"
  mkdir "$sessions/aaaa1111/sidecar/log/access.log"
  run -1 drydock logs aaaa
  assert_contains "$output" "warning: the proxy's log is left out: "
}

@test "attach shows the outcome of an ended session, and a screen if it has one" {
  mkdir -m 0700 "$XDG_STATE_HOME/drydock/ended"
  local screen
  for screen in '"one","two"' ''; do
    cat >"$XDG_STATE_HOME/drydock/ended/cccc1111.json" <<END
{"version":1,"id":"cccc1111","project":"$project","agent":"claude",
"mode":"contained","kind":"run","created_at":"2026-01-01T00:00:00Z",
"ended_at":"2026-01-01T00:00:01Z","status":3,"screen":[$screen]}
END
    run -3 --separate-stderr drydock attach cccc
    assert_equal "$output" "${screen:+one$'\n'two}"
    assert_equal "$stderr" "drydock: session cccc1111 has ended with status 3 \
at 2026-01-01T00:00:01Z${screen:+; above is its last screen}"
  done
}

@test "a session's names reach the terminal without escape sequences" {
  sed -i 's/"agent":"claude"/"agent":"\\u001b[31mred"/' \
    "$sessions/aaaa1111/session.json"
  run -0 drydock list
  refute_contains "$output" $'\033'
  assert_contains "$output" '\033[31mred'
}

@test "a project's name carries no escape sequence into a listing or a question" {
  local name=$BATS_TEST_TMPDIR/$'pro\033]0;title\007\033[31m\nject' text id said
  mkdir "$name"
  for id in aaaa1111 bbbb2222; do
    text=$(jq --arg name "$name" '.project = $name | .mode = "\u001b[1m" |
      .engine_socket = "\u001b[2m"' "$sessions/$id/session.json")
    printf '%s\n' "$text" >"$sessions/$id/session.json"
  done
  cd "$name"
  for said in "list --all" "run" "attach" "stop" "stop aaaa1111" "gc" \
    "gc --adopt" "attach bbbb2222" "exec aaaa1111 -- true" "logs aaaa1111"; do
    # shellcheck disable=SC2086
    run drydock $said </dev/null
    refute_contains "$output" $'\033'
    run script -qec "drydock $said" /dev/null </dev/null
    refute_contains "$output" $'\033]0'
    refute_contains "$output" $'\033[1m'
    refute_contains "$output" $'\033[2m'
    refute_contains "$output" $'\033[31m'
  done
  untouched
}

@test "run asks once who the engine is, also where the project has sessions" {
  cd "$project"
  run -130 script -qec "drydock run" /dev/null <<<n
  assert_contains "$output" "start a [n]ew one"
  # It got as far as the launch, which asks for the images.
  assert_contains "$output" "there is no image for agent claude yet"
  [ -e "$script/calls/info.1" ]
  [ ! -e "$script/calls/info.2" ]
}

@test "2000 directories are one question to the engine" {
  [ "$(id -u)" = 0 ] || skip "the questions do not depend on who asks"
  (cd "$sessions" && seq -f '%08.0f' 1 2000 | xargs mkdir -m 0700)
  run -0 drydock list --all
  rm -rf "$script/calls"
  run -0 drydock gc
  assert_equal "$(grep -c removed <<<"$output")" 2001
  [ -e "$script/calls/ps.1" ]
  [ ! -e "$script/calls/ps.2" ]
  untouched
}
