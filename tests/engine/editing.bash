# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Plans that are changed after they were sealed.

# A docker-compose of ours, first in PATH, edits what it is told to bring up.
editing_setup() {
  bin=$BATS_TEST_TMPDIR/bin
  mkdir "$bin"
  type -P docker-compose >"$bin/real"
  cat >"$bin/docker-compose" <<'END'
#!/bin/bash
# Everything but "up" goes through as it is.
here=${0%/*}
args=() up=
for arg; do
  [ "$arg" != up ] || up=yes
done
for arg; do
  case $up:$arg in
    yes:--file=/proc/self/fd/*)
      if [ -e "$here/edit.jq" ]; then
        edited=$(jq --from-file "$here/edit.jq" "${arg#--file=}") || exit 1
        exec {fd}<<<"$edited"
        arg=--file=/proc/self/fd/$fd
      fi
      ;;
  esac
  args+=("$arg")
  case $up:$arg in
    yes:--project-name=*) [ ! -e "$here/beside" ] || . "$here/beside" "$arg" ;;
  esac
done
if [ -z "$up" ] || ! [ -e "$here/after" ]; then
  exec "$(cat "$here/real")" "${args[@]}"
fi
"$(cat "$here/real")" "${args[@]}" && . "$here/after"
END
  chmod 0755 "$bin" "$bin/docker-compose"
  export DRYDOCK_COMPOSE=$bin/docker-compose
}

nothing_is_left() {
  finds_nothing docker ps -aq
  assert_equal "$(find "$XDG_STATE_HOME/drydock/sessions" \
    "$XDG_STATE_HOME/drydock/trash" -mindepth 1)" ""
}

# True for the first edit of a test, or all_cases: what is compared with what is
# in test-verify.c and test-verify-inspect.c, too.
sampled() {
  edits=$((${edits-0} + 1))
  all_cases || [ "$edits" -le 1 ]
}

# refused WHAT EDIT: the plan edited so is not launched, for a reason with WHAT.
refused() {
  sampled || return 0
  found_out "$@"
}

found_out() {
  printf '%s\n' "$2" >"$bin/edit.jq"
  run --separate-stderr in_session sh -c 'echo the command ran'
  rm "$bin/edit.jq"
  [ "$status" -eq 77 ] || fail "$2" "status $status" "$stderr"
  assert_equal "$output" ""
  assert_contains "$stderr" "$1"
  nothing_is_left
}
