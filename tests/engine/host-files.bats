# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# No command touches a file of the host's own, or leaves anything in HOME but
# what is declared, with the state and the configuration where they are by
# default and the project inside HOME.

load ../helper
load counter

# The counting agent, with claude's configuration and token.
setup_file() {
  local agents=$BATS_FILE_TMPDIR/prefix/share/drydock/agents
  counter_prefix
  jq -s '.[1] * {command: .[0].command, resume_args: .[0].resume_args}' \
    "$agents/counter.json" "$agents/claude.json" >"$agents/counter.json.new"
  mv "$agents/counter.json.new" "$agents/counter.json"
  chmod go+r "$agents/counter.json"
}

teardown() {
  [ -n "${top-}" ] || return 0
  as_who drydock stop --all --force >/dev/null 2>&1 || true
  (cd "$top" && rm -rf .claude .claude.json .gitconfig .netrc .ssh dotfiles \
    work .config/drydock .local/state/drydock)
  (cd "$top" && rmdir -p .config .local/state 2>/dev/null) || true
}

# The host's own: a home with what people have in it.
own_files() {
  top=$1
  unset XDG_CONFIG_HOME XDG_STATE_HOME
  project=$top/code/deep/project
  as_who env HOME="$top" sh -ec '
    cd
    mkdir -p .claude/commands .claude/plugins/cache .claude/projects/x .ssh \
      dotfiles code/deep/project .config .local/state
    echo "{\"theme\": \"dark\"}" >.claude/settings.json
    echo "{\"claudeAiOauth\": 1}" >.claude/.credentials.json
    echo linked >dotfiles/file
    ln -s ../dotfiles/file .claude/link
    ln -s nowhere .claude/dangling
    chmod 0444 dotfiles/file
    echo talk >.claude/projects/x/talk.jsonl
    echo "{\"projects\": {\"$HOME/code/deep/project\": {}}}" >.claude.json
    echo key >.ssh/id
    chmod 0700 .ssh
    printf "[user]\n\tname = A\n\temail = a@example.org\n" >.gitconfig
    echo machine >.netrc
    chmod 0600 .netrc .ssh/id .claude/.credentials.json
    echo text >code/deep/project/file'
  local uid=0
  [ "$who" = root ] || uid=$BED_UID
  images_record "$uid" "$top/.local/state"
  cd "$project" || return
}

# Kind, mode, owner, number, size, times and contents of all but what drydock
# declares as its own.
host_files() {
  (cd "$top" &&
    find . \( -path ./.config/drydock -o -path ./.local/state/drydock \) \
      -prune -o -printf '%y %m %U:%G %i %n %s %T@ %C@ %p %l\n' | sort -k 9 &&
    find . \( -path ./.config/drydock -o -path ./.local/state/drydock \) \
      -prune -o -type f -exec sha256sum {} + | sort)
}

# did STATUS COMMAND...: it ends so, and nothing is another afterwards.
did() {
  local want=$1 status=0
  shift
  "$@" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
  [ "$status" = "$want" ] ||
    fail "$*: status $status" "$(cat "$BATS_TEST_TMPDIR/out")" || return
  diff "$BATS_TEST_TMPDIR/before" <(host_files) ||
    fail "changed by: $*" || return
  # A root's sidecar has a user of its own.
  [ "$who" = root ] || assert_equal "$(find "$top" \
    -ignore_readdir_race ! -uid "$BED_UID")" ""
}

all_commands() {
  local id
  own_files "$1"
  as_who drydock setup >/dev/null 2>&1
  host_files >"$BATS_TEST_TMPDIR/before"
  did 0 as_who drydock setup
  did 0 as_who drydock sync
  did 0 as_who drydock sync --force
  did 0 as_who drydock sync --if-stale --quiet
  did 1 as_who drydock token status
  did 0 as_who sh -c 'echo sk-ant-x | drydock token set'
  did 0 as_who drydock config
  did 0 as_who drydock plan "$project"
  # root's build differs from the user's in the user alone.
  if [ "$who" = user ] || all_cases; then
    did 0 as_who drydock build --bootstrap
  fi
  did 0 as_who drydock shell "$project" -- sh -c 'echo x >~/.claude/new'
  did 0 as_who drydock shell --mode dood "$project" -- true
  did 0 on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock new "$project" -- first
  id=$(as_who drydock list | cut -c 1-8)
  did 0 as_who drydock list --all
  did 0 as_who drydock exec "$id" -- true
  did 0 as_who drydock logs "$id"
  did 0 on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
  did 130 on_terminal 'expect:ancel?' 'send:c\r' -- drydock run "$project"
  did 0 as_who drydock gc
  did 0 as_who drydock stop "$id"
  did 0 as_who drydock gc --dry-run
  did 0 as_who drydock token remove
  # Of its own nothing is for others' eyes.
  assert_equal "$(find "$top/.config/drydock" "$top/.local/state/drydock" \
    -maxdepth 1 -perm /077)" ""
}

@test "no command changes the host's files, as an ordinary user" {
  bed_setup user
  counter_setup
  all_commands "$BED/user"
}

@test "no command changes the host's files, as root" {
  bed_setup root
  counter_setup
  all_commands "$BED/home"
}
