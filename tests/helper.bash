# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What every .bats file loads.  Tests run in a bed (tests/bed); each has its own
# configuration and state, but one HOME, since images are made for a home.

bats_require_minimum_version 1.5.0

# shellcheck source=images.bash
source "${BASH_SOURCE[0]%/*}/images.bash"

# Refuses to run anywhere but in the bed: a test that removes things must never
# see somebody's own home or engine.
bed_guard() {
  case ${BED-} in
    /*) ;;
    *)
      echo "not in a bed: see tests/bed" >&2
      return 1
      ;;
  esac
  case $HOME:${DRYDOCK_ENGINE-} in
    "$BED"/home:"$BED"/* | "$BED"/user:"$BED"/*) ;;
    *)
      echo "HOME and engine are not the bed's" >&2
      return 1
      ;;
  esac
  [ -e "$BED/prefix" ] || {
    echo "$BED is no bed" >&2
    return 1
  }
}

# bats records the call stack before each command, for its report of a failure:
# a quarter of the processor time of a test of many commands.  From here on the
# test records it when a command fails.  A failing teardown, and a test that
# leaves by "return" or "exit", is reported without a line.
trace_failures() {
  # bats --trace prints each command.
  [ "${BATS_TRACE_LEVEL-0}" = 0 ] || return 0
  trap - DEBUG
  # shellcheck disable=SC2034 # bats reads them
  BATS_DEBUG_LAST_STACK_TRACE=() BATS_DEBUG_LASTLAST_STACK_TRACE=()
  trap 'bats_error_trap; failed_here' ERR
}

# Called by the trap itself: bats leaves out the innermost two frames.
failed_here() {
  bats_capture_stack_trace
  # shellcheck disable=SC2034 # bats reads it
  [[ ${BASH_SOURCE[1]} != "$BATS_LIBEXEC"/* ]] || BATS_DEBUG_LAST_STACK_TRACE=()
}

# bed_dirs DIR: in it are configuration, state, runtime directory and project.
bed_dirs() {
  export XDG_CONFIG_HOME=$1/config
  export XDG_STATE_HOME=$1/state
  export XDG_RUNTIME_DIR=$1/runtime
  project=$1/project
}

# bed_setup [root|user|self]: fresh configuration, state and runtime directories
# for one test, and a project, of the one the test is about; self is whoever
# runs the tests.
bed_setup() {
  bed_guard || return
  trace_failures
  # What an earlier test left on the bed's engine is not this one's.  To ask the
  # engine costs more than a look at whether it has any container.
  if [ "${BATS_TEST_DIRNAME##*/}" = engine ] &&
    [ -n "$(ls "$BED/engine/data/containers" 2>&1)" ]; then
    docker ps -aq --filter label=io.drydock.session |
      xargs -r docker rm -f >/dev/null 2>&1 || true
  fi
  who=${1-user}
  if [ "$who" = self ]; then
    who=user
    [ "$EUID" != 0 ] || who=root
  fi
  bed_dirs "$BATS_TEST_TMPDIR"
  mkdir -p "$XDG_CONFIG_HOME/drydock" "$XDG_STATE_HOME" "$XDG_RUNTIME_DIR" \
    "$project"
  # A bed without an engine has no images.
  if [ -e "$BED/images" ]; then
    local uid=0
    [ "$who" = root ] || uid=$BED_UID
    images_record "$uid" "$XDG_STATE_HOME"
  fi
  if [ "$EUID" = 0 ] && [ "$who" = user ]; then
    chown -R "$BED_UID:$BED_UID" "$XDG_CONFIG_HOME" "$XDG_STATE_HOME" \
      "$XDG_RUNTIME_DIR" "$project"
    # The test's directory is root's, and the ordinary user passes through.
    chmod 0711 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_SUITE_TMPDIR" \
      "$BATS_RUN_TMPDIR"
  fi
}

# Runs a command as the bed's ordinary user, under umask 077.
as_user() (
  umask 077
  HOME=$BED/user exec setpriv --reuid "$BED_UID" --regid "$BED_UID" \
    --clear-groups "$@"
)

as_who() {
  if [ "$who" = root ] || [ "$EUID" != 0 ]; then
    "$@"
  else
    as_user "$@"
  fi
}

# traced OPTION... COMMAND: under strace.  A sanitizer that looks for leaks
# traces too, and a process has one tracer; its log's calls would be among ours.
traced() {
  ASAN_OPTIONS=detect_leaks=0 LSAN_OPTIONS='' UBSAN_OPTIONS=halt_on_error=1 \
    strace -qq "$@"
}

# The id of the image that drydock built: agent_image UID, egress_image.
agent_image() {
  images_of agent "$1"
}

egress_image() {
  images_of egress 0
}

# server_files DIR: what a TLS server of a test needs: key and cert, for each
# name below drydock.test, and the programs of servers/.
server_files() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -keyout "$1/key" -out "$1/cert" -days 2 -subj /CN=drydock.test \
    -addext 'subjectAltName=DNS:*.drydock.test' 2>/dev/null
  cp "$BATS_TEST_DIRNAME"/servers/*.py "$1"
}

# container_ip ID: its address on the engine's bridge.
container_ip() {
  docker inspect -f '{{.NetworkSettings.IPAddress}}' "$1"
}

# open_session COMMAND...: a session that lives on while the test looks at it
# from outside.  It must print "ready" once it is where the test wants it;
# close_session ends its stdin and waits.  Other lines go to $session_lines.
# Lines to $session_in reach its stdin.  Programs that a test starts inherit that
# descriptor, so another process has the only writing end of stdin.
open_session() {
  local typed=$BATS_TEST_TMPDIR/session.typed
  session_lines=$BATS_TEST_TMPDIR/session.lines
  rm -f "$BATS_TEST_TMPDIR/session.in" "$typed"
  mkfifo "$BATS_TEST_TMPDIR/session.in" "$typed"
  pass_lines <"$typed" >"$BATS_TEST_TMPDIR/session.in" 3>&- &
  as_who drydock shell "$project" -- "$@" <"$BATS_TEST_TMPDIR/session.in" \
    >"$session_lines" 2>"$BATS_TEST_TMPDIR/session.err" 3>&- &
  session_pid=$!
  exec {session_in}<>"$typed"
  wait_for "session ready" grep -x ready "$session_lines" || {
    cat "$BATS_TEST_TMPDIR/session.err" >&2
    return 1
  }
}

# pass_lines: standard input, until its end or the line of close_session.
pass_lines() {
  local line
  while IFS= read -r line && [ "$line" != "$session_end" ]; do
    printf '%s\n' "$line"
  done
}

session_end=$'\x04'

close_session() {
  echo "$session_end" >&"$session_in"
  exec {session_in}>&-
  wait "$session_pid"
}

# wait_for WHAT COMMAND...: until COMMAND succeeds, for a minute at most.  What is
# not there within a second is asked for less often.
wait_for() {
  local what=$1 deadline=$((SECONDS + 60)) pause=0.1 tries
  shift
  for ((tries = 0; ; tries++)); do
    ! "$@" >/dev/null 2>&1 || return 0
    [ "$SECONDS" -lt "$deadline" ] || fail "no $what after a minute" || return
    [ "$tries" -lt 10 ] || pause=0.3
    sleep "$pause"
  done
}

# project_conf [DIR]: standard input becomes the own file of settings, $own, of
# the project DIR ($project), for whom the test is about.
project_conf() {
  local dir=${1-$project} key
  key=$(printf %s "$dir" | sha256sum | cut -c 1-16)-${dir##*/}
  own=$XDG_CONFIG_HOME/drydock/projects/$key/drydock.conf
  # shellcheck disable=SC2016 # for the other shell
  as_who sh -c 'umask 077 && mkdir -p "${1%/*}" && cat >"$1"' sh "$own"
}

# in_session COMMAND...: a contained session on $project.
in_session() {
  as_who drydock shell "$project" -- "$@" </dev/null
}

# codes URL...: for each the proxy's answer to CONNECT and the server's own,
# whose certificate is cert of the project.
codes() {
  in_session sh -c '
    for url; do
      printf "%s %s\n" "$url" "$(curl -s --max-time 20 --cacert cert \
        -o /dev/null -w "%{http_connect} %{http_code}" "$url")"
    done' sh "$@"
}

# companions ID: the processes that drydock runs beside a session.
companions() {
  grep -lszxF -e --companion -- /proc/[0-9]*/cmdline |
    xargs -r grep -lszxF -e "$1" -- |
    cut -d / -f 3
}

has_companion() {
  [ -n "$(companions "$1")" ]
}

has_no_companion() {
  ! has_companion "$1"
}

# all_cases: in check --full, where each row of a table is tried.
all_cases() {
  [ "${DRYDOCK_TEST_CASES-}" = all ]
}

# Global, since bats reads files in a function.
declare -gA tried=()

# untried CASE: true the first time in a test, or all_cases.
untried() {
  all_cases || [ -z "${tried[$1]-}" ] || return 1
  tried[$1]=1
}

# finds_nothing COMMAND...: it succeeds and prints nothing.  What a query that
# failed did not print is no answer.
finds_nothing() {
  local found
  found=$("$@") || return
  [ -z "$found" ] || fail "not wanted: $found"
}

fail() {
  printf '%s\n' "$@" >&2
  return 1
}

assert_equal() {
  [ "$1" = "$2" ] || fail "got:  $1" "want: $2"
}

assert_contains() {
  case $1 in
    *"$2"*) ;;
    *) fail "got: $1" "want in it: $2" ;;
  esac
}

refute_contains() {
  case $1 in
    *"$2"*) fail "got: $1" "not wanted in it: $2" ;;
  esac
}
