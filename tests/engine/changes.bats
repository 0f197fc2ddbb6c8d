# SPDX-License-Identifier: MIT
# Files of a project that run programs on the host: what a session changes there
# is told, shown and put back.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
  as_who git -C "$project" init -q
}

# A session that changes what git runs.
attack() {
  run -0 --separate-stderr in_session sh -c '
    git config core.fsmonitor /tmp/evil
    hook=$(git rev-parse --git-common-dir)/hooks/post-checkout
    printf "#!/bin/sh\necho \033[31mevil\n" >"$hook"
    chmod 0755 "$hook"'
  id=$(sed -n 's/^drydock: session \([a-z0-9]*\) on .*/\1/p' <<<"$stderr")
}

# Attaches and detaches.
look_in() {
  run -0 on_terminal 'expect:agent first' $'send:\034' 'expect:goes on' -- \
    drydock attach "$id"
}

@test "the end tells what changed, and diff shows it later and puts it back" {
  local kept
  cp "$project/.git/config" "$BATS_TEST_TMPDIR/was"
  attack
  assert_contains "$stderr" "drydock: since the start of session $id,\
 .git/config was changed: git runs the programs that it names"
  assert_contains "$stderr" "drydock: since the start of session $id,\
 .git/hooks/post-checkout is new: git runs it"
  assert_contains "$stderr" "type \"drydock diff $id\""
  run -1 --separate-stderr as_who drydock diff "$id"
  assert_contains "$output" "+	fsmonitor = /tmp/evil"
  assert_contains "$output" '+echo \033[31mevil'
  refute_contains "$output" $'\033'
  run -1 --separate-stderr as_who drydock diff --json "$id"
  assert_equal "$(jq -c '[.session, .ended, .complete,
    (.files[] | [.path, .change, .start.kind, .now.kind])]' <<<"$output")" \
    "[\"$id\",true,true,[\".git/config\",\"changed\",\"file\",\"file\"],\
[\".git/hooks/post-checkout\",\"new\",\"absent\",\"file\"]]"
  # Without a terminal nothing is assumed.
  run -64 --separate-stderr as_who drydock diff --restore "$id" </dev/null
  [ -e "$project/.git/hooks/post-checkout" ]
  # One path, then the rest.
  run -0 --separate-stderr as_who drydock diff --restore --yes "$id" .git/hooks
  [ ! -e "$project/.git/hooks/post-checkout" ]
  grep -q fsmonitor "$project/.git/config"
  run -0 --separate-stderr as_who drydock diff --restore --yes "$id"
  cmp "$BATS_TEST_TMPDIR/was" "$project/.git/config"
  kept=$XDG_STATE_HOME/drydock/ended/$id.kept
  grep -q fsmonitor "$kept/1-.git%config"
  grep -q evil "$kept/1-.git%hooks%post-checkout"
  run -0 --separate-stderr as_who drydock diff "$id"
  assert_equal "$output" ""
  # Nothing is left in the project, and all of it goes with the outcome.
  run -0 find "$project/.git" -name '.[!.]*.*'
  assert_equal "$output" ""
  DRYDOCK_KEEP_ENDED=0s as_who drydock gc
  assert_equal "$(ls "$XDG_STATE_HOME/drydock/ended")" ""
}

@test "detach and attach tell each state once" {
  open_counter
  run -0 --separate-stderr as_who drydock diff "$id"
  assert_equal "$output" ""
  as_who drydock exec "$id" -- git -C "$project" config core.pager /tmp/evil
  run -1 as_who drydock diff "$id"
  assert_contains "$output" "+	pager = /tmp/evil"
  look_in
  # The attach told it, so the detach does not.
  assert_equal "$(grep -c ".git/config was changed" <<<"$output")" 1
  look_in
  refute_contains "$output" ".git/config"
  # A detach tells what changed until then.
  on_terminal 'expect:agent first' 'expect:now' $'send:\034' 'expect:goes on' \
    -- drydock attach "$id" >"$BATS_TEST_TMPDIR/out" 3>&- &
  wait_for "a viewer" test_state running
  # shellcheck disable=SC2016 # the session's shell
  as_who drydock exec "$id" -- sh -c 'git -C "$0" config core.askPass /tmp/evil
    echo now >/dev/pts/0' "$project"
  wait $!
  assert_contains "$(cat "$BATS_TEST_TMPDIR/out")" \
    ".git/config was changed: git runs the programs"
  as_who drydock exec "$id" -- git -C "$project" config core.editor /tmp/evil
  run -0 --separate-stderr as_who drydock stop "$id"
  assert_contains "$stderr" "since the start of session $id, .git/config was"
}

@test "no trick of a session hides a change, or leads a restore elsewhere" {
  local victim=$BATS_TEST_TMPDIR/victim
  make_project "$victim"
  as_who mkdir "$project/.vscode"
  as_who sh -c "echo '{}' >'$project/.vscode/tasks.json'"
  run -0 --separate-stderr in_session sh -c '
    mkdir -p a/b/repo && git init -q a/b/repo
    mv .git was && echo "gitdir: /tmp/elsewhere" >.git
    mv .vscode old && ln -s "$0" .vscode
    mkfifo .envrc' "$victim"
  id=$(sed -n 's/^drydock: session \([a-z0-9]*\) on .*/\1/p' <<<"$stderr")
  run -1 --separate-stderr as_who timeout 60 drydock diff "$id"
  assert_contains "$output" "new .envrc: "
  assert_contains "$output" "new .git: it leads git to another directory"
  assert_contains "$output" "new .vscode: "
  assert_contains "$output" "removed .vscode/tasks.json: "
  assert_contains "$output" "new a/b/repo/.git/config: "
  run -0 --separate-stderr as_who \
    timeout 60 drydock diff --restore --yes "$id"
  assert_equal "$(ls -A "$victim")" ""
  [ -d "$project/.vscode" ]
  [ ! -L "$project/.vscode" ]
  assert_equal "$(cat "$project/.vscode/tasks.json")" '{}'
  [ -d "$project/.git" ]
  [ ! -e "$project/.envrc" ]
}

@test "a worktree's git directory counts, and a session without a state is named" {
  local tree=$BATS_TEST_TMPDIR/tree top=$project
  make_project "$tree"
  as_who git -C "$project" -c user.name=u -c user.email=u@e commit -q \
    --allow-empty -m first
  as_who git -C "$project" worktree add -q "$tree"
  project=$tree
  attack
  run -1 --separate-stderr as_who drydock diff "$id"
  assert_contains "$output" "changed $top/.git/config: "
  assert_contains "$output" "new $top/.git/hooks/post-checkout: "
  as_who rm "$XDG_STATE_HOME/drydock/ended/$id.watched"
  run -65 --separate-stderr as_who drydock diff "$id"
  assert_contains "$stderr" "session $id has no stored state"
}
