# SPDX-License-Identifier: MIT
# What the user's own shell has, a session has: git, terminals, time, names.

load ../helper

setup() {
  bed_setup user
}

# As git on the host would, with a configuration that the project brought.
git_project() {
  as_who git init -q "$project"
  as_who git -C "$project" config commit.gpgsign true
  as_who git -C "$project" config tag.gpgsign true
  as_who git -C "$project" config user.name n
  as_who git -C "$project" config user.email n@example.com
}

@test "a repository that signs is committed to, without the keys" {
  git_project
  run -0 --separate-stderr in_session sh -ec 'git commit -q --allow-empty -m x
    git tag -a -m y y
    git log --format=%s%GG
    git config --get commit.gpgsign'
  assert_equal "$output" $'x\nfalse'
  refute_contains "$stderr" "git"
}

@test "what git will not find is said at the launch" {
  mkdir -p "$project/sub" "$BATS_TEST_TMPDIR/tree"
  chown "$BED_UID" "$project/sub" "$BATS_TEST_TMPDIR/tree"
  git_project
  as_who git -C "$project" commit -q --no-gpg-sign --allow-empty -m x
  as_who git -C "$project" worktree add -q "$BATS_TEST_TMPDIR/tree"
  top=$project
  project=$top/sub
  run --separate-stderr in_session git rev-parse
  [ "$status" -ne 0 ]
  assert_contains "$stderr" "git finds no repository in the session, which has\
 $top/sub and not $top around it: start it on $top"
  project=$BATS_TEST_TMPDIR/tree
  run --separate-stderr in_session git rev-parse
  [ "$status" -ne 0 ]
  assert_contains "$stderr" "the repository of $project is in\
 $top/.git/worktrees/tree, outside of the project: start it on $top"
}
