# SPDX-License-Identifier: MIT
# What is protected does not hang on HOME, nor on which agent is chosen.

load ../helper
load stub

setup() {
  bed_setup self
  stub_setup
}

# judged STATUS RULE DIR
judged() {
  run --separate-stderr drydock plan "$3"
  [ "$status" -eq "$1" ] || fail "$3" "status $status, not $1" "$stderr"
  [ -z "$2" ] || assert_contains "$stderr" "$2: "
}

# in_account COMMAND: with a passwd file in which $account is the caller's home.
in_account() {
  printf 'u%s:x:%s:%s::%s:/bin/sh\n' "$(id -u)" "$(id -u)" "$(id -g)" \
    "$account" >"$BATS_TEST_TMPDIR/passwd"
  unshare --mount --propagation private bash -c '
    mount --bind "$0" /etc/passwd && "$@"' "$BATS_TEST_TMPDIR/passwd" "$@"
}

@test "the account's home is protected whatever HOME says" {
  [ "$(id -u)" = 0 ] || skip "only root mounts"
  account=$BATS_TEST_TMPDIR/account
  mkdir -p "$account/.ssh/deep" "$account/.claude" "$account/src"
  # The images are for a user of this name.
  sed -i 's/"io.drydock.user":"[^"]*"/"io.drydock.user":"u0"/' \
    "$script/image-inspect.out"
  stub_record u0 "$script"
  in_account drydock plan "$account" >"$BATS_TEST_TMPDIR/out" 2>&1 &&
    fail "the account's home is taken"
  assert_contains "$(<"$BATS_TEST_TMPDIR/out")" source-home
  for dir in .ssh/deep:source-credentials .claude:source-agent; do
    in_account drydock plan "$account/${dir%:*}" \
      >"$BATS_TEST_TMPDIR/out" 2>&1 && fail "$dir is taken"
    assert_contains "$(<"$BATS_TEST_TMPDIR/out")" "${dir#*:}"
  done
  in_account drydock plan "$account/src"
}

@test "root's home is not a project of root with another HOME" {
  [ "$(id -u)" = 0 ] || skip "only for root"
  assert_equal "$(getent passwd 0 | cut -d: -f 6)" /root
  judged 77 source-home /root
}

@test "each agent's configuration is protected, not the chosen one's alone" {
  local prefix=$BATS_TEST_TMPDIR/prefix
  cp -R "$(cat "$BED/prefix")" "$prefix"
  chmod -R go-w "$prefix"
  echo '{"command": ["x"], "sync": {"trees": [{"path": ".other"}]}}' \
    >"$prefix/share/drydock/agents/other.json"
  images_for_agent other
  PATH=$bin:$prefix/bin:$PATH
  mkdir -p "$HOME/.other/x" "$HOME/.claude"
  judged 77 source-agent "$HOME/.other/x"
  judged 77 source-agent "$HOME/.claude"
  DRYDOCK_AGENT=other judged 77 source-agent "$HOME/.claude"
  rm -rf "$HOME/.other"
}
