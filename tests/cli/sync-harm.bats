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
  run -1 --separate-stderr drydock sync
  run -1 grep -rl canary "$XDG_STATE_HOME"
  local name
  for name in sub/linked hard sub/hard relative absolute kernel chain dots \
    elsewhere/id where-it-is-kept/gnupg/key around; do
    assert_contains "$stderr" "skipped .claude/$name: "
  done
  [ -e "$snapshot/.claude/sub" ]
  [ -e "$snapshot/.claude/settings.json" ]
  # Their being there is no reason to sync again.
  wait_for freshness fresh
}

fresh() {
  drydock sync --check || { drydock sync || true; return 1; }
}

# A checkout that sessions had, and what no session is to see.
a_project_and_a_secret() {
  dotfiles=$HOME/dotfiles
  mkdir -p "$dotfiles/claude/skills" "$HOME/private"
  echo canary >"$HOME/private/diary"
  echo "the user's own" >"$dotfiles/claude/CLAUDE.md"
  echo skill >"$dotfiles/claude/skills/one.md"
  [ "${1-}" = unknown ] || known "$dotfiles"
}

# known DIR: as a launch notes what the agent gets.
known() {
  mkdir -p "$XDG_STATE_HOME/drydock"
  chmod 0700 "$XDG_STATE_HOME/drydock"
  echo "$1" >>"$XDG_STATE_HOME/drydock/projects"
}

# skipped STATUS NAME WHY: told by each sync; a failure also by a quiet one.
skipped() {
  local command commands=(sync sync "sync --force")
  [ "$1" = 0 ] || commands+=("sync --quiet")
  for command in "${commands[@]}"; do
    # shellcheck disable=SC2086 # words of a command
    run "-$1" --separate-stderr drydock $command
    assert_contains "$stderr" "skipped .claude$2: it $3"
  done
  if [ -n "$2" ]; then
    [ ! -e "$snapshot/.claude$2" ]
    [ ! -L "$snapshot/.claude$2" ]
  elif [ -e "$snapshot/.claude" ]; then
    # The document alone is not from there.
    finds_nothing find "$snapshot/.claude" -mindepth 1 ! -name .claude.json
  fi
  run -1 grep -rl canary "$XDG_STATE_HOME"
  # A hook is told nothing, and a look finds nothing new.
  run -0 drydock sync --if-stale --quiet
  wait_for freshness fresh
}

@test "a link into a project is not synced, whatever an agent puts there" {
  local into="leads into a project, where an agent can replace what is there:\
 replace the link with a copy"
  a_project_and_a_secret
  ln -s ../dotfiles/claude/CLAUDE.md "$HOME/.claude/CLAUDE.md"
  ln -s "$dotfiles/claude/skills" "$HOME/.claude/skills"
  skipped 1 /CLAUDE.md "$into"
  skipped 1 /skills "$into"
  [ -e "$snapshot/.claude/settings.json" ]
  # The agent's turn: the target, a directory of it, a parent of it.
  ln -sfn "$HOME/private/diary" "$dotfiles/claude/CLAUDE.md"
  rm -r "$dotfiles/claude/skills"
  ln -s "$HOME/private" "$dotfiles/claude/skills"
  skipped 1 /CLAUDE.md "$into"
  skipped 1 /skills "$into"
  mv "$dotfiles/claude" "$dotfiles/was"
  ln -s "$HOME/private" "$dotfiles/claude"
  ln -s ../dotfiles/claude/diary "$HOME/.claude/diary"
  skipped 1 /diary "$into"
  ln -sfn ../dotfiles/claude/../private/diary "$HOME/.claude/diary"
  skipped 1 /diary "$into"
  # What the link's place has itself goes along.
  rm "$HOME/.claude"/{CLAUDE.md,skills,diary}
  echo copied >"$HOME/.claude/CLAUDE.md"
  run -0 --separate-stderr drydock sync
  assert_equal "$stderr" ""
  assert_equal "$(cat "$snapshot/.claude/CLAUDE.md")" copied
}

@test "a configuration in a project is not synced, nor a document" {
  a_project_and_a_secret
  mkdir "$HOME/own"
  mv "$HOME/.claude" "$HOME/own/claude"
  ln -s dotfiles/claude "$HOME/.claude"
  skipped 1 "" "leads into a project"
  # What was synced before the project had a session goes, too.
  rm "$HOME/.claude"
  ln -s own/claude "$HOME/.claude"
  echo '{"canary": 1}' >"$dotfiles/claude.json"
  ln -sf dotfiles/claude.json "$HOME/.claude.json"
  skipped 1 /.claude.json "leads into a project"
  [ -e "$snapshot/.claude/settings.json" ]
  known "$HOME/own"
  skipped 1 "" "leads into a project"
  [ ! -e "$snapshot/.claude/settings.json" ]
}

@test "a directory that a link leads to holds no link out of it" {
  local name out="is a link out of a directory that a link leads to"
  a_project_and_a_secret unknown
  mkdir "$dotfiles/claude/skills/deep"
  ln -s ../dotfiles/claude/skills "$HOME/.claude/skills"
  cd "$dotfiles/claude/skills"
  ln -s one.md inside
  ln -s ../one.md deep/inside
  ln -s "$HOME/private/diary" absolute
  ln -s ../../../private/diary relative
  ln -s ../../../../private deep/directory
  ln -s ../../../dotfiles/claude/skills/one.md around
  ln -s absolute chain
  ln -s /proc/self/root/etc/passwd kernel
  for name in absolute relative deep/directory around chain kernel; do
    skipped 1 "/skills/$name" "$out"
  done
  assert_equal "$(cat "$snapshot/.claude/skills/inside")" skill
  assert_equal "$(cat "$snapshot/.claude/skills/deep/inside")" skill
  assert_equal "$(readlink "$snapshot/.claude/skills/deep/inside")" ../one.md
  # The same where the whole configuration is behind a link.
  rm absolute relative deep/directory around chain kernel
  mv "$HOME/.claude" "$HOME/own"
  ln -s own "$HOME/.claude"
  ln -s ../private/diary "$HOME/own/diary"
  skipped 1 /diary "$out"
  skipped 1 /skills "$out"
  [ -e "$snapshot/.claude/settings.json" ]
}

@test "an agent cannot make the configuration a secret" {
  a_project_and_a_secret
  ln -s dotfiles/gnupg "$HOME/.gnupg"
  ln -s "$HOME/.claude" "$dotfiles/gnupg"
  run -0 --separate-stderr drydock sync
  assert_equal "$stderr" ""
  [ -e "$snapshot/.claude/settings.json" ]
  # By a chain that comes back, and by a hard link from its project.
  rm "$HOME/.gnupg" "$dotfiles/gnupg"
  ln -s dotfiles/aws "$HOME/.aws"
  mkdir "$dotfiles/aws"
  ln "$HOME/.claude/settings.json" "$dotfiles/aws/config"
  run -0 --separate-stderr drydock sync --force
  assert_equal "$stderr" ""
  [ -e "$snapshot/.claude/settings.json" ]
}

@test "a project within a directory that a link leads to stays out" {
  a_project_and_a_secret unknown
  known "$dotfiles/claude/skills"
  ln -s ../dotfiles "$HOME/.claude/all"
  skipped 1 /all/claude/skills "leads into a project"
  [ -e "$snapshot/.claude/all/claude/CLAUDE.md" ]
}

@test "a chain of the user's own links is followed" {
  a_project_and_a_secret unknown
  mkdir -p "$HOME/store/b-files/.claude" "$HOME/store/c-source"
  echo managed >"$HOME/store/c-source/CLAUDE.md"
  ln -s "$HOME/store/c-source/CLAUDE.md" "$HOME/store/b-files/.claude/CLAUDE.md"
  ln -s "$HOME/dotfiles/claude/skills" "$HOME/store/b-files/.claude/skills"
  ln -s "$HOME/store/b-files/.claude/CLAUDE.md" "$HOME/.claude/CLAUDE.md"
  ln -s store/b-files "$HOME/profile"
  ln -s ../profile/.claude/skills "$HOME/.claude/skills"
  run -0 --separate-stderr drydock sync
  assert_equal "$stderr" ""
  assert_equal "$(cat "$snapshot/.claude/CLAUDE.md")" managed
  assert_equal "$(cat "$snapshot/.claude/skills/one.md")" skill
  # Until one of them lies where an agent works.
  known "$HOME/store/b-files"
  skipped 1 /CLAUDE.md "leads into a project"
  skipped 1 /skills "leads into a project"
}

@test "a link that leads nowhere, round in a circle or too far is named" {
  local i
  mkdir "$HOME/far"
  echo canary >"$HOME/far/0"
  for i in {1..41}; do ln -s $((i - 1)) "$HOME/far/$i"; done
  cd "$HOME/.claude"
  ln -s ../nowhere/at/all nowhere
  ln -s settings.json/not a-file
  ln -s b a
  ln -s a b
  ln -s self/x self
  ln -s ../far/40 far
  ln -s "$(printf 'x%.0s' {1..300})" long
  mkfifo "$HOME/far/fifo"
  ln -s ../far/fifo fifo
  for i in nowhere a-file a b self far long; do
    skipped 0 "/$i" "is a link that leads nowhere"
  done
  skipped 0 /fifo "is a link to neither a file nor a directory"
  # As far as the kernel goes.
  rm far
  sed -i s/canary/far/ "$HOME/far/0"
  ln -s ../far/39 far
  run -0 drydock sync
  assert_equal "$(cat "$snapshot/.claude/far")" far
}

@test "another user's link or file is not synced" {
  [ "$(id -u)" = 0 ] || skip "an ordinary user cannot give a file away"
  local name foreign="leads to another user's file, or through another"
  a_project_and_a_secret unknown
  mkdir "$HOME/theirs"
  echo canary >"$HOME/theirs/file"
  ln -s ../private/diary "$HOME/theirs/link"
  chown -hR 12345 "$HOME/theirs"
  ln -s ../dotfiles/claude/skills "$HOME/.claude/skills"
  cp -p "$HOME/theirs/file" "$dotfiles/claude/skills/file"
  cp -Rp "$HOME/theirs" "$dotfiles/claude/skills/directory"
  ln -s ../theirs/file "$HOME/.claude/file"
  ln -s ../theirs/link "$HOME/.claude/link"
  ln -s ../theirs "$HOME/.claude/directory"
  ln -s ../private/diary "$HOME/.claude/own"
  chown -h 12345 "$HOME/.claude/own"
  for name in file link directory own skills/file skills/directory; do
    skipped 1 "/$name" "$foreign"
  done
  assert_equal "$(cat "$snapshot/.claude/skills/one.md")" skill
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
      1half) ;;
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
