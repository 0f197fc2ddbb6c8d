# SPDX-License-Identifier: MIT
# A worktree or submodule as project: the session has the git directory that
# both sides name, and no other one.

load ../helper

setup() {
  bed_setup user
  cd "$project" || return
  top=$project
  tree=$BATS_TEST_TMPDIR/tree
  other=$BATS_TEST_TMPDIR/other
  install --directory --owner "$BED_UID" --group "$BED_UID" "$tree" "$other"
  repository "$top"
}

git_() {
  as_who git -c user.name=u -c user.email=u@example.org \
    -c protocol.file.allow=always "$@"
}

repository() {
  git_ -C "$1" init -q -b main
  git_ -C "$1" commit -q --allow-empty -m first
}

# commits DIR [HIDDEN]: in a session on $project, and prints what the host's git
# then sees; HIDDEN is not in the session.
commits() {
  as_who touch "$project/file"
  run -0 --separate-stderr in_session sh -c 'git add file && ! [ -e "$1" ] &&
    git -c user.name=a -c user.email=a@example.org commit -qm inside' \
    sh "${2-/none}"
  assert_contains "$stderr" "git's directory $1 is writable in the session"
  refute_contains "$stderr" "git does not work"
  git_ -C "$project" log -1 --format='%s %ae'
}

# not_bound DIR: git does not work, and DIR is not in the session.
not_bound() {
  run --separate-stderr in_session sh -c 'git status || ls -d "$0"' "$1"
  [ "$status" -ne 0 ] || fail "git works, or $1 is there" "$output"
  refute_contains "$output" "$1"
}

# not_planned DIR: as a launch does, which not_bound shows.
not_planned() {
  as_who drydock plan --json "$project" |
    jq -r '.model.services.agent.volumes[].source' >"$BATS_TEST_TMPDIR/sources"
  grep -xF "$project" "$BATS_TEST_TMPDIR/sources"
  run -1 grep -F "$1" "$BATS_TEST_TMPDIR/sources"
}

@test "a worktree has its repository's git directory" {
  git_ -C "$top" worktree add -q "$tree"
  project=$tree
  as_who drydock plan "$project" | grep -F "mount $top/.git"
  assert_equal "$(commits "$top/.git")" "inside a@example.org"
  assert_equal "$(git_ -C "$top" log -1 --format=%s tree)" inside
  # The same repository in the next session, too.
  as_who drydock plan "$project" | grep -F "mount $top/.git"
}

@test "a submodule has its git directory, and not its parent's" {
  repository "$other"
  git_ -C "$top" submodule --quiet add "$other" sub
  project=$top/sub
  assert_equal "$(commits "$top/.git/modules/sub" "$top/.git/HEAD")" \
    "inside a@example.org"
}

@test "a git directory that names another project is not bound" {
  git_ -C "$top" worktree add -q "$tree"
  as_who cp "$tree/.git" "$other/.git"
  project=$other
  not_bound "$top/.git"
  project=$tree
  as_who sh -c 'echo /etc >"$0"' "$top/.git/worktrees/tree/commondir"
  not_planned "$top/.git"
  as_who sh -c 'echo ../.. >"$0"' "$top/.git/worktrees/tree/commondir"
  as_who mv "$top/.git" "$other/secret"
  as_who ln -s "$other/secret" "$top/.git"
  not_planned "$other/secret"
}

@test "an agent cannot choose another repository for the next session" {
  repository "$other"
  git_ -C "$top" worktree add -q "$tree"
  project=$tree
  as_who mkdir -p "$other/.git/worktrees/evil"
  as_who cp "$top/.git/worktrees/tree/"{HEAD,commondir,gitdir} \
    "$other/.git/worktrees/evil"
  # Both ends name each other, and yet it is not the first session's.
  # shellcheck disable=SC2016 # the session's shell
  run -0 in_session sh -c 'git status && echo "gitdir: $0" >.git' \
    "$other/.git/worktrees/evil"
  not_bound "$other/.git"
  assert_contains "$stderr" "the git directory $other/.git is not in the\
 session, because an earlier session could write $tree/.git: if it is the right\
 one, add \"binds = $other/.git\" to drydock.conf"
  echo "binds = $other/.git" |
    as_who tee "$XDG_CONFIG_HOME/drydock/drydock.conf" >/dev/null
  run -0 --separate-stderr in_session git rev-parse --git-common-dir
  assert_equal "$output" "$other/.git"
  # It is not the project's for good.
  as_who rm "$XDG_CONFIG_HOME/drydock/drydock.conf"
  not_planned "$other/.git"
}

@test "a git directory that binds lists as read-only is read-only" {
  git_ -C "$top" worktree add -q "$tree"
  project=$tree
  echo "binds = $top/.git:ro" |
    as_who tee "$XDG_CONFIG_HOME/drydock/drydock.conf" >/dev/null
  # shellcheck disable=SC2016
  run -0 --separate-stderr in_session sh -c \
    'git log -1 --format=%s && ! touch "$0/made"' "$top/.git"
  assert_equal "$output" first
  assert_contains "$stderr" "git's directory $top/.git is read-only"
  run ! test -e "$top/.git/made"
}

@test "a git directory in a forbidden place is refused by name" {
  as_who mkdir -p "$BED/user/.ssh/r"
  repository "$BED/user/.ssh/r"
  git_ -C "$BED/user/.ssh/r" worktree add -q "$tree"
  project=$tree
  run -77 --separate-stderr as_who drydock plan "$project"
  assert_contains "$stderr" "\"$BED/user/.ssh/r/.git\" lies in"
  run -77 --separate-stderr in_session true
  as_who rm -r "$BED/user/.ssh/r"
}
