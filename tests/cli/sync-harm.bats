# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# sync: credentials by other names, writers at work, file systems that say no,
# and who may write what.

load ../helper

setup() {
  bed_setup self
  export HOME=$BATS_TEST_TMPDIR/home
  mkdir -p "$HOME/.claude/commands"
  echo '{"theme": "dark"}' >"$HOME/.claude/settings.json"
  echo hello >"$HOME/.claude/commands/hello.md"
  echo '{"a": 1.0}' >"$HOME/.claude.json"
  agent_dir=$XDG_STATE_HOME/drydock/agents/claude
  snapshot=$agent_dir/snapshot
}

checksum() {
  (cd "$1" && find . -printf '%y %m %p %l\n' | sort &&
    find . -type f -exec sha256sum {} + | sort) | sha256sum
}

only_whole() {
  assert_equal "$(find "$agent_dir" -maxdepth 1 -name 'gen-*')" ""
}

# The copy is what the host has, but for the document's own place.
same_as_host() {
  diff -r --exclude .claude.json "$HOME/.claude" "$snapshot/.claude"
}

@test "a credential is none of its names" {
  mkdir -p "$HOME/dotfiles/gnupg" "$HOME/.ssh" "$HOME/.config/gh" "$HOME/else"
  echo canary >"$HOME/.ssh/id"
  echo canary >"$HOME/.config/gh/hosts.yml"
  echo canary >"$HOME/dotfiles/gnupg/key"
  echo canary >"$HOME/.claude/.credentials.json"
  ln -s dotfiles/gnupg "$HOME/.gnupg"
  ln -s ../.ssh/id "$HOME/else/id"
  cd "$HOME/.claude"
  cp .credentials.json .Credentials.JSON
  cp .credentials.json old-credentials.json.bak
  mkdir sub
  ln .credentials.json sub/linked
  ln "$HOME/.ssh/id" hard
  ln "$HOME/.config/gh/hosts.yml" sub/hard
  ln -s ../.ssh/id relative
  ln -s "$HOME/.ssh/id" absolute
  ln -s "/proc/self/root$HOME/.ssh/id" kernel
  ln -s relative chain
  ln -s ../.claude/../.ssh/../.ssh dots
  ln -s ../else elsewhere
  ln -s ../dotfiles where-it-is-kept
  ln -s sub/../.credentials.json around
  run -0 --separate-stderr drydock sync
  run -1 grep -rl canary "$XDG_STATE_HOME"
  local name
  for name in sub/linked hard sub/hard relative absolute kernel chain dots \
    elsewhere/id where-it-is-kept/gnupg/key around; do
    assert_contains "$stderr" "skipped .claude/$name: "
  done
  [ -e "$snapshot/.claude/sub" ] && [ -e "$snapshot/.claude/settings.json" ]
  # Their being there is no reason to sync again.
  wait_for freshness fresh
}

fresh() {
  drydock sync --check || { drydock sync && return 1; }
}

@test "a document goes along filtered, or not at all" {
  echo '{"a": 1.0, "oauthAccount": "canary"}' >"$HOME/.claude.json"
  mkdir "$HOME/.claude/sub" "$HOME/else"
  ln -s ../.claude.json "$HOME/.claude/link"
  ln "$HOME/.claude.json" "$HOME/.claude/sub/hard"
  cp "$HOME/.claude.json" "$HOME/.claude/sub/.claude.json.old"
  cp "$HOME/.claude.json" "$HOME/else/.Claude.json"
  ln -s ../else "$HOME/.claude/elsewhere"
  local name
  run -0 --separate-stderr drydock sync
  for name in link sub/hard sub/.claude.json.old elsewhere/.Claude.json; do
    assert_contains "$stderr" "skipped .claude/$name: it is an account's file"
  done
  run -1 grep -rl canary "$XDG_STATE_HOME"
  assert_equal "$(cat "$snapshot/.claude/.claude.json")" '{"a": 1.0}'
  # One that is kept in the tree, and linked to from where it belongs.
  rm "$HOME/.claude/link" "$HOME/.claude/sub/hard"
  mv "$HOME/.claude.json" "$HOME/.claude/kept.json"
  ln -s .claude/kept.json "$HOME/.claude.json"
  run -0 --separate-stderr drydock sync
  assert_contains "$stderr" "skipped .claude/kept.json: it is an account's file"
  run -1 grep -rl canary "$XDG_STATE_HOME"
  assert_equal "$(cat "$snapshot/.claude/.claude.json")" '{"a": 1.0}'
}

@test "a mount over a link's target hides no credential" {
  [ "$(id -u)" = 0 ] || skip "an ordinary user cannot mount"
  mkdir -p "$HOME/.ssh/deep" "$HOME/keys" "$HOME/.claude/mounted"
  echo canary >"$HOME/.ssh/deep/id"
  ln -s ../keys "$HOME/.claude/keys"
  ln -s ../keys/id "$HOME/.claude/key"
  # shellcheck disable=SC2016 # the inner shell's
  run -0 unshare -m sh -ec '
    mount --bind "$HOME/.ssh/deep" "$HOME/keys"
    mount --bind "$HOME/.ssh" "$HOME/.claude/mounted"
    drydock sync'
  run -1 grep -rl canary "$XDG_STATE_HOME"
}

@test "of syncs at once one works, the others share what it made" {
  drydock sync
  echo changed >"$HOME/.claude/settings.json"
  exec {lock}<"$agent_dir/lock"
  flock "$lock"
  local i pids=()
  for i in 1 2 3 4 5; do
    traced -e trace=flock -o "$BATS_TEST_TMPDIR/trace.$i" drydock sync \
      >"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- {lock}<&- &
    pids+=($!)
  done
  for i in 1 2 3 4 5; do
    wait_for "a sync that waits" grep -F LOCK_EX "$BATS_TEST_TMPDIR/trace.$i"
  done
  exec {lock}<&-
  for i in "${pids[@]}"; do
    wait "$i" || fail "a sync failed" "$(cat "$BATS_TEST_TMPDIR"/out.*)"
  done
  assert_equal "$(cat "$BATS_TEST_TMPDIR"/out.* | grep -c ': synced,')" 1
  assert_equal "$(cat "$BATS_TEST_TMPDIR"/out.* |
    grep -c ': nothing changed,')" 4
  same_as_host
  only_whole
}

@test "--check makes no call that changes anything, and takes no lock" {
  local state
  for state in never fresh drifted; do
    traced -f -s 200 -o "$BATS_TEST_TMPDIR/trace" \
      drydock sync --check >"$BATS_TEST_TMPDIR/out" || [ $? = 1 ]
    sed -i '/"\/dev\/null"/d' "$BATS_TEST_TMPDIR/trace"
    grep -q . "$BATS_TEST_TMPDIR/trace"
    run -1 grep -E -e 'O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)' \
      -e '^[0-9]+ +(mkdir|unlink|rmdir|rename|link|symlink|mknod)' \
      -e '^[0-9]+ +f?(l?chmod|l?chown|truncate|allocate|lock|sync|setxattr)' \
      -e '^[0-9]+ +(utime|futimes|l?setxattr|fdatasync|syncfs|copy_file)' \
      -e '^[0-9]+ +(send|mount|pwrite|clone|fork|vfork)' \
      "$BATS_TEST_TMPDIR/trace"
    # What it says goes to its own output.
    run -1 grep -E '^[0-9]+ +writev?\(([03-9]|1[0-9])' \
      "$BATS_TEST_TMPDIR/trace"
    [ "$state" != never ] || assert_equal "$(ls -A "$XDG_STATE_HOME")" ""
    drydock sync
    [ "$state" != fresh ] || echo x >"$HOME/.claude/new"
  done
}

# Rewrites the configuration until it is told to end: replaced at once, or, as
# "half", written in place.
writer() {
  local i=0 text
  until [ -e "$BATS_TEST_TMPDIR/end" ]; do
    i=$((i + 1))
    text="{\"a\": $i, \"list\": [$(printf '%s, ' {1..2000})$i]}"
    if [ "$1" = half ]; then
      echo "$text" >"$HOME/.claude.json"
    else
      echo "$text" >"$HOME/.claude.json.new"
      mv "$HOME/.claude.json.new" "$HOME/.claude.json"
    fi
    echo "$i" >"$HOME/.claude/settings.json"
    rm -f "$HOME/.claude/commands/"*
    echo "$i" >"$HOME/.claude/commands/$i.md"
    mv "$HOME/.claude/commands" "$HOME/.claude/commands-$i"
    mv "$HOME/.claude/commands-$i" "$HOME/.claude/commands"
  done
}

beside_writer() {
  local how=$1 bad='' i status done=0
  rm -f "$BATS_TEST_TMPDIR/end"
  writer "$how" 3>&- &
  local pid=$!
  for i in 1 2 3 4 5 6; do
    status=0
    drydock sync >"$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
    case $status$how in
      0*) done=$((done + 1)) ;;
      65half) ;;
      *) bad="$bad$i: status $status: $(cat "$BATS_TEST_TMPDIR/out")" ;;
    esac
    only_whole || bad="$bad$i: half a snapshot"
    [ ! -e "$snapshot" ] ||
      jq -e .a "$snapshot/.claude/.claude.json" >/dev/null ||
      bad="$bad$i: half a document"
  done
  touch "$BATS_TEST_TMPDIR/end"
  wait "$pid"
  assert_equal "$bad" ""
  drydock sync
  same_as_host
  cmp "$HOME/.claude.json" "$snapshot/.claude/.claude.json"
  [ "$how" = half ] || assert_equal "$done" 6
}

@test "beside somebody who replaces files all the time each sync succeeds" {
  beside_writer whole
}

@test "beside somebody who writes in place no half of it is kept" {
  beside_writer half
}

@test "a home on another file system is copied, too" {
  other=$(mktemp -d -p /dev/shm)
  if [ "$(stat -c %d "$other")" = "$(stat -c %d "$BATS_TEST_TMPDIR")" ]; then
    rmdir "$other"
    skip "there is no other file system to write to"
  fi
  mv "$HOME/.claude" "$HOME/.claude.json" "$other/"
  head -c 3000000 /dev/urandom >"$other/.claude/large"
  HOME=$other
  run -0 drydock sync
  same_as_host
  wait_for freshness fresh
  echo more >>"$other/.claude/large"
  run -0 drydock sync
  same_as_host
  rm -r "$other"
}

@test "a full disk leaves the last snapshot, and the next sync cleans up" {
  [ "$(id -u)" = 0 ] || skip "an ordinary user cannot mount"
  mkdir "$BATS_TEST_TMPDIR/small"
  # shellcheck disable=SC2016 # the inner shell's
  run -0 unshare -m bash -ec '
    mount -t tmpfs -o size=1m small "$1"
    export XDG_STATE_HOME=$1
    agent=$1/drydock/agents/claude
    drydock sync
    cp -a "$agent/snapshot" "$1/../before"
    cp "$agent/manifest" "$1/../mark"
    head -c 2000000 /dev/urandom >"$HOME/.claude/large"
    status=0
    drydock sync || status=$?
    [ "$status" = 74 ]
    diff -r "$agent/snapshot" "$1/../before"
    cmp "$agent/manifest" "$1/../mark"
    status=0
    drydock sync --check || status=$?
    [ "$status" = 1 ]
    rm "$HOME/.claude/large"
    echo more >"$HOME/.claude/settings.json"
    drydock sync
    diff -r --exclude .claude.json "$HOME/.claude" "$agent/snapshot/.claude"
    [ -z "$(find "$agent" -maxdepth 1 -name "gen-*")" ]
  ' -- "$BATS_TEST_TMPDIR/small"
  assert_contains "$output" "No space left on device"
}

@test "a state that cannot be written is told, and can be looked at" {
  drydock sync
  wait_for freshness fresh
  before=$(checksum "$agent_dir")
  echo changed >"$HOME/.claude/settings.json"
  if [ "$(id -u)" = 0 ]; then
    # shellcheck disable=SC2016 # the inner shell's
    read_only=(unshare -m sh -ec 'mount --bind "$XDG_STATE_HOME" \
      "$XDG_STATE_HOME" && mount -o remount,bind,ro "$XDG_STATE_HOME" &&
      exec "$@"' --)
  else
    read_only=()
    chmod 0500 "$agent_dir"
  fi
  run -74 --separate-stderr "${read_only[@]}" drydock sync
  assert_contains "$stderr" "drydock: "
  run -1 "${read_only[@]}" drydock sync --check
  assert_contains "$output" "changed	.claude/settings.json"
  chmod 0700 "$agent_dir"
  assert_equal "$(checksum "$agent_dir")" "$before"
  run -0 drydock sync
  same_as_host
}

@test "no descriptor left is a failure, and no link that leads nowhere" {
  ln -s settings.json "$HOME/.claude/link"
  mkdir -p "$HOME/.claude/a/b"
  ln -s ../../settings.json "$HOME/.claude/a/b/link"
  local n ended bad=''
  for n in {4..24}; do
    rm -rf "$agent_dir"
    ended=0
    (ulimit -n "$n" && drydock sync) >"$BATS_TEST_TMPDIR/out" 2>&1 ||
      ended=$?
    # One that fails at the mark has made the snapshot, whole.
    if [ "$ended" = 0 ] || [ -e "$snapshot" ]; then
      same_as_host || bad="$bad$n: not the host's"
    fi
    run -1 grep -F "leads nowhere" "$BATS_TEST_TMPDIR/out"
  done
  assert_equal "$bad" ""
  assert_equal "$ended" 0
}

@test "who waits for another sync says so, unless it is to be quiet" {
  drydock sync
  echo changed >"$HOME/.claude/settings.json"
  exec {lock}<"$agent_dir/lock"
  flock "$lock"
  drydock sync --if-stale --quiet >"$BATS_TEST_TMPDIR/quiet" 2>&1 \
    3>&- {lock}<&- &
  local quiet=$!
  drydock sync >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- {lock}<&- &
  local told=$!
  wait_for "word of the wait" grep -F "waiting for it" "$BATS_TEST_TMPDIR/out"
  drydock sync >"$BATS_TEST_TMPDIR/left" 2>&1 3>&- {lock}<&- &
  local left=$!
  wait_for "word of the wait" grep -F "waiting for it" "$BATS_TEST_TMPDIR/left"
  kill "$left"
  local ended=0
  wait "$left" || ended=$?
  assert_equal "$ended" 143
  exec {lock}<&-
  wait "$quiet"
  wait "$told"
  assert_equal "$(cat "$BATS_TEST_TMPDIR/quiet")" ""
  same_as_host
}

@test "what is no directory in the snapshot's place is named and kept" {
  drydock sync
  mkdir "$BATS_TEST_TMPDIR/elsewhere"
  local kind command
  for kind in link fifo file; do
    rm -rf "$snapshot"
    case $kind in
      link) ln -s "$BATS_TEST_TMPDIR/elsewhere" "$snapshot" ;;
      fifo) mkfifo "$snapshot" ;;
      file) echo file >"$snapshot" ;;
    esac
    for command in "sync" "sync --check" "setup"; do
      # shellcheck disable=SC2086 # words of a command
      run -74 --separate-stderr drydock $command
      assert_equal "$stderr" \
        "drydock: $agent_dir: open snapshot: Not a directory"
    done
    [ ! -d "$snapshot" ] || [ -L "$snapshot" ]
  done
  assert_equal "$(ls -A "$BATS_TEST_TMPDIR/elsewhere")" ""
}

@test "one remainder that is odd does not keep the others" {
  drydock sync
  mkdir "$agent_dir/gen-zzzz" "$BATS_TEST_TMPDIR/elsewhere"
  touch "$agent_dir/gen-file" "$BATS_TEST_TMPDIR/elsewhere/kept"
  mkfifo "$agent_dir/gen-fifo"
  ln -s "$BATS_TEST_TMPDIR/elsewhere" "$agent_dir/gen-link"
  wait_for freshness fresh
  run -0 --separate-stderr drydock sync
  assert_equal "$stderr" ""
  only_whole
  [ -e "$BATS_TEST_TMPDIR/elsewhere/kept" ]
}

@test "a file system that exchanges no directories is named, and left clean" {
  drydock sync
  before=$(checksum "$snapshot")
  echo changed >"$HOME/.claude/settings.json"
  run -74 traced -o /dev/null -e inject=renameat2:error=EINVAL drydock sync
  assert_contains "$output" "RENAME_EXCHANGE"
  only_whole
  assert_equal "$(checksum "$snapshot")" "$before"
  run -1 drydock sync --check
  run -0 drydock sync
  same_as_host
}
