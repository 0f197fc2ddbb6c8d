# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Overlays of the user's, each judged in a configuration of its own, two at a
# time.  Compose is the machine's own; the engine is a stub without state.

load stub

# After bed_setup.
judging_setup() {
  stub_setup
  config=$XDG_CONFIG_HOME/drydock
  mkdir "$config/compose.d"
  chmod -R go-w "$config"
  [ "$(id -u)" = 0 ] || chmod 0755 "$config"
  export id
  id=$(printf 'c%.0s' {1..64})
  local compose data=$BATS_TEST_TMPDIR/engine-data
  mkdir "$data"
  stub_record "$stub_user" "$data"
  cat >"$script/info.out" <<END
{"ID":"stub","DockerRootDir":"$data","ServerVersion":"26.1.5",
"OperatingSystem":"Stub","OSType":"linux","CgroupVersion":"2",
"SecurityOptions":["name=seccomp,profile=builtin"]}
END
  compose=$(cat "$script/compose-config.exec")
  rm "$bin/docker" "$bin/docker-compose"
  cat >"$bin/docker" <<END_OF_STUB
#!/bin/sh
echo "docker \$*" >>'$bin/calls'
exit 1
END_OF_STUB
  cat >"$bin/docker-compose" <<END_OF_STUB
#!/bin/sh
echo "compose \$*" >>'$bin/calls'
case " \$* " in
  *' config '*) exec '$compose' "\$@" ;;
  *) echo 2.26.1 ;;
esac
END_OF_STUB
  chmod 0755 "$bin/docker" "$bin/docker-compose"
  cases=0 running=0
}

# Fails the test when one of its cases was not as it should be.
judging_teardown() {
  local n failed=''
  all_end
  stub_teardown
  for ((n = 1; n <= cases; n++)); do
    [ -e "$BATS_TEST_TMPDIR/case.$n/ok" ] ||
      failed+=$(cat "$BATS_TEST_TMPDIR/case.$n/failed" 2>&1)$'\n'
  done
  [ -z "$failed" ] || fail "$failed" || return
  # Nothing but questions reached the engine.
  if grep -vE '^compose .*(version|config)' "$bin/calls" ||
      grep -rLaE '^GET' "$script/calls" | grep .; then
    fail "the engine was told more than it was asked"
  fi
}

one_ends() {
  wait -n || true
  running=$((running - 1))
}

# Before what they look at changes.
all_end() {
  while [ "$running" -gt 0 ]; do
    one_ends
  done
}

# judge STATUS WORD FILE: the overlay FILE ends in STATUS, which may be two
# ("77|78"), with WORD as a rule's name, or as any other words: "*words".
judge() {
  cases=$((cases + 1))
  [ "$running" -lt 2 ] || one_ends
  judge_case "$BATS_TEST_TMPDIR/case.$cases" "$@" 3>&- &
  running=$((running + 1))
}

judge_case() {
  local dir=$1 want=$2 word=$3 status=0 err
  umask 077
  mkdir -p "$dir/drydock/compose.d"
  printf '%s\n' "$4" >"$dir/drydock/compose.d/z.yml"
  XDG_CONFIG_HOME=$dir drydock plan "$project" >"$dir/out" \
    2>"$dir/err" || status=$?
  err=$'\n'$(<"$dir/err")
  case "|$want|" in
    *"|$status|"*) ;;
    *) word=$'\nno' ;;
  esac
  case $word in
    '') true ;;
    '*'*) [[ $err = *"${word#?}"* ]] ;;
    *) [[ $err = *[:\ $'\n']"$word: "* ]] ;;
  esac && true >"$dir/ok" ||
    printf '%s\n' "$4" "got $status, not $2 $3:$err" >"$dir/failed"
}

# agent RULE KEYS, egress RULE KEYS: refused for what a service's keys are.  Of a
# test, each rule once, or all_cases.  What a rule says of other keys and values
# is in the matrix (policy.bats) and in test-policy.c, which need no Compose.
agent() {
  of_service agent "$@"
}

egress() {
  of_service egress "$@"
}

of_service() {
  untried "$1:$2" || return 0
  judge 77 "$2" "services: { $1: { $3 } }"
}

# bind RULE SOURCE TARGET [MORE [STATUS]]
bind() {
  judge "${5-77}" "$1" "services: { agent: { volumes: [ { type: bind,
    source: '$2', target: '$3',
    bind: { create_host_path: false } ${4-} } ] } }"
}
