# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the tests of patches share: the state of trees, clones, and check.

# state_of DIR: type, mode, time, path, and content of everything in it.
state_of() {
  (
    cd "$1" || exit
    find . -printf '%y %m %T@ %P %l\n' | LC_ALL=C sort
    find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum
  )
}

# content_of DIR: the same without times.
content_of() {
  state_of "$1" | sed -E 's/^([a-z] [0-7]+) [0-9.]+ /\1 /' | LC_ALL=C sort
}

# clone DIR: a fresh clone of the project, of what git does not ignore.
clone() {
  git init -q . 2>/dev/null
  git -c core.excludesFile= add -A
  git -c user.name=t -c user.email=t@t.test commit -q -m t
  git clone -q . "$1"
}

# in_sync N: check finds nothing, in N patches.
in_sync() {
  run -0 --separate-stderr drydock patch check
  if [ "$1" = 1 ]; then
    assert_equal "$output" "1 patch in sync"
  else
    assert_equal "$output" "$1 patches in sync"
  fi
  assert_equal "$stderr" ""
}
