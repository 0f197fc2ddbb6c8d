# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# sync: the host's configuration of the agent becomes a snapshot, whole or not
# at all.

load ../helper

setup() {
  bed_setup self
  # No image is made for this home: these tests start no session.
  export HOME=$BATS_TEST_TMPDIR/home
  mkdir "$HOME"
  agent_dir=$XDG_STATE_HOME/drydock/agents/claude
  snapshot=$agent_dir/snapshot
}

# A configuration with the kinds of files that there are.
host_config() {
  mkdir -p "$HOME/.claude/commands" "$HOME/.claude/plugins/cache" \
    "$HOME/.claude/cache" "$HOME/.claude/projects/x"
  echo '{"theme": "dark"}' >"$HOME/.claude/settings.json"
  echo hello >"$HOME/.claude/commands/hello.md"
  echo kept >"$HOME/.claude/plugins/cache/kept"
  echo gone >"$HOME/.claude/cache/gone"
  echo talk >"$HOME/.claude/projects/x/talk.jsonl"
  echo canary-credential >"$HOME/.claude/.credentials.json"
  cat >"$HOME/.claude.json" <<'EOF'
{
  "numStartups": 9007199254740993,
  "odd": [1.0, 1e400, -0, "\u0000", "\ud83d\ude00", "\/\u00e9"],
  "oauthAccount": {"emailAddress": "canary-account"},
  "mcpServers": {
    "absent": {"command": "/opt/absent", "env": {"K": "canary-absent"}},
    "there": {"command": "npx", "args": ["-y", "x"]}
  },
  "projects": {
    "/a": {
      "allowedTools": ["Bash(ls)"],
      "mcpServers": {"s": {"command": "npx", "env": {"T": "canary-project"}}},
      "history": [{"display": "canary-history"}],
      "hasTrustDialogAccepted": true
    }
  }
}
EOF
}

# Everything below a directory: kind, mode, name and contents.
checksum() {
  (cd "$1" && find . -printf '%y %m %p %l\n' | sort &&
    find . -type f ! -perm 000 -exec sha256sum {} + | sort) | sha256sum
}

# Nothing half-made stands beside the snapshot.
only_whole() {
  assert_equal "$(find "$agent_dir" -maxdepth 1 -name 'gen-*')" ""
}

@test "the configuration is there, credentials and what is excluded are not" {
  host_config
  before=$(checksum "$HOME")
  run -0 --separate-stderr drydock sync
  assert_contains "$output" "claude: synced"
  assert_equal "$stderr" ""
  assert_equal "$(checksum "$HOME")" "$before"
  diff "$HOME/.claude/settings.json" "$snapshot/.claude/settings.json"
  [ -e "$snapshot/.claude/commands/hello.md" ]
  [ -e "$snapshot/.claude/plugins/cache/kept" ]
  [ ! -e "$snapshot/.claude/cache" ]
  [ ! -e "$snapshot/.claude/projects" ]
  run -1 grep -rl canary "$XDG_STATE_HOME"
  only_whole
}

@test "what is kept of .claude.json is the host's own bytes" {
  host_config
  drydock sync
  diff - "$snapshot/.claude/.claude.json" <<'EOF'
{
  "numStartups": 9007199254740993,
  "odd": [1.0, 1e400, -0, "\u0000", "\ud83d\ude00", "\/\u00e9"],
  "mcpServers": {
    "there": {"command": "npx", "args": ["-y", "x"]}
  },
  "projects": {
    "/a": {
      "allowedTools": ["Bash(ls)"],
      "hasTrustDialogAccepted": true
    }
  }
}
EOF
}

@test "a document that is wrong keeps its last copy, and stops nothing else" {
  host_config
  drydock sync
  before=$(checksum "$snapshot")
  good=$(cat "$HOME/.claude.json")
  local bad
  for bad in '' '{' '[' 'x' '{"a": 1, "a": 2}' \
    '{"a": NaN}' $'{"a": "\xff"}' "${good%\}*}" "$good}"; do
    printf '%s' "$bad" >"$HOME/.claude.json"
    run -1 --separate-stderr drydock sync
    assert_contains "$stderr" "skipped .claude/.claude.json: \
$HOME/.claude.json: line "
    assert_contains "$stderr" "sessions keep the copy of the last sync"
    assert_equal "$(checksum "$snapshot")" "$before"
    only_whole
    run -1 drydock sync --check
    assert_equal "$output" $'changed\t.claude/.claude.json'
  done
  echo new >"$HOME/.claude/commands/new.md"
  run -1 --separate-stderr drydock sync --json
  assert_equal "$(jq -r '.skipped[0].path' <<<"$output")" .claude/.claude.json
  assert_contains "$(jq -r '.skipped[0].why' <<<"$output")" "json: line "
  assert_equal "$(cat "$snapshot/.claude/commands/new.md")" new
  rm "$HOME/.claude/commands/new.md"
  printf '%s\n' "$good" >"$HOME/.claude.json"
  run -0 drydock sync
}

@test "a document that is wrong from the start leaves the rest to sessions" {
  host_config
  echo '{' >"$HOME/.claude.json"
  run -1 --separate-stderr drydock sync
  assert_contains "$stderr" "sessions start without it"
  cmp "$HOME/.claude/settings.json" "$snapshot/.claude/settings.json"
  [ ! -e "$snapshot/.claude/.claude.json" ]
}

@test "half a surrogate pair goes with what goes, and stays with what stays" {
  mkdir "$HOME/.claude"
  # What Node's JSON.stringify() makes of a text that was cut in a character.
  printf '%s' '{"tip":"\ud83d","projects":{"/p":{"history":["a \uD83D"],' \
    '"allowedTools":[]}}}' >"$HOME/.claude.json"
  run -0 --separate-stderr drydock sync
  assert_equal "$stderr" ""
  assert_equal "$(cat "$snapshot/.claude/.claude.json")" \
    '{"tip":"\ud83d","projects":{"/p":{"allowedTools":[]}}}'
}

@test "a document over the limit is skipped by its size" {
  host_config
  drydock sync
  before=$(checksum "$snapshot")
  truncate -s 65M "$HOME/.claude.json"
  run -1 --separate-stderr drydock sync
  assert_contains "$stderr" "sync_max_json"
  assert_equal "$(checksum "$snapshot")" "$before"
  echo '{}' >"$HOME/.claude.json"
  DRYDOCK_SYNC_MAX_JSON=1k run -0 drydock sync
}

@test "a tree over a limit is refused, by the setting's name" {
  host_config
  DRYDOCK_SYNC_MAX_FILES=16 run -0 drydock sync
  touch "$HOME/.claude/commands/"{1..20}
  DRYDOCK_SYNC_MAX_FILES=16 run -78 --separate-stderr drydock sync
  assert_contains "$stderr" "sync_max_files"
  truncate -s 2M "$HOME/.claude/large"
  DRYDOCK_SYNC_MAX_SIZE=1m run -78 --separate-stderr drydock sync
  assert_contains "$stderr" "sync_max_size"
  only_whole
}

@test "a write in progress is waited for" {
  host_config
  good=$(cat "$HOME/.claude.json")
  printf '%s' "${good%\}*}" >"$HOME/.claude.json"
  # The writer goes on once the reader has opened the half of it, which then
  # waits longer than it would: on a busy machine the test is slow, too.
  traced -f -e trace=openat2,poll -e inject=poll:delay_enter=500000 \
    -o "$BATS_TEST_TMPDIR/trace" drydock sync >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  pid=$!
  wait_for "a first look" grep -F 'claude.json"' "$BATS_TEST_TMPDIR/trace"
  printf '%s\n' "$good" >"$HOME/.claude.json"
  wait "$pid" || { cat "$BATS_TEST_TMPDIR/out" && return 1; }
  grep -F synced "$BATS_TEST_TMPDIR/out"
}

@test "links within stay, links out are copied, others are named" {
  host_config
  mkdir -p "$HOME/dotfiles/deep" "$HOME/.ssh"
  echo key >"$HOME/.ssh/id"
  echo out >"$HOME/dotfiles/file"
  echo deep >"$HOME/dotfiles/deep/file"
  cd "$HOME/.claude"
  ln -s commands/hello.md inside
  ln -s "$HOME/.claude/commands" absolute
  ln -s ../dotfiles/file out
  ln -s ../dotfiles tree
  ln -s nowhere dangling
  ln -s ../.ssh/id key
  ln -s ../.ssh keys
  ln -s .. back
  ln -s / root
  ln -s .credentials.json credential
  ln .credentials.json second-name
  ln -s loop loop
  mkfifo fifo
  run -0 --separate-stderr drydock sync
  for name in dangling key keys back root credential second-name loop fifo; do
    assert_contains "$stderr" "skipped .claude/$name: "
    [ ! -e "$snapshot/.claude/$name" ]
    [ ! -L "$snapshot/.claude/$name" ]
  done
  assert_equal "$(readlink "$snapshot/.claude/inside")" commands/hello.md
  assert_equal "$(readlink "$snapshot/.claude/absolute")" \
    "$HOME/.claude/commands"
  [ ! -L "$snapshot/.claude/out" ]
  [ ! -L "$snapshot/.claude/tree" ]
  assert_equal "$(cat "$snapshot/.claude/out")" out
  assert_equal "$(cat "$snapshot/.claude/tree/deep/file")" deep
  run -1 grep -rl -e canary -e '^key' "$XDG_STATE_HOME"
  # What a copied link leads to is looked at too.
  run -0 drydock sync --check
  echo more >>"$HOME/dotfiles/deep/file"
  run -1 drydock sync --check
  assert_contains "$output" "changed	.claude/tree/deep/file"
}

@test "a configuration that is a link itself is followed" {
  host_config
  mkdir "$HOME/dotfiles"
  mv "$HOME/.claude" "$HOME/dotfiles/claude"
  mv "$HOME/.claude.json" "$HOME/dotfiles/claude.json"
  ln -s dotfiles/claude "$HOME/.claude"
  ln -s dotfiles/claude.json "$HOME/.claude.json"
  run -0 drydock sync
  [ -e "$snapshot/.claude/settings.json" ]
  [ -e "$snapshot/.claude/.claude.json" ]
  run -1 grep -rl canary "$XDG_STATE_HOME"
}

@test "modes carry over, but for what group and others may write" {
  host_config
  chmod 0777 "$HOME/.claude/commands"
  chmod 0666 "$HOME/.claude/settings.json"
  chmod 0700 "$HOME/.claude/commands/hello.md"
  chmod 0555 "$HOME/.claude/plugins"
  drydock sync
  assert_equal "$(cd "$snapshot/.claude" && stat -c '%a' commands \
    settings.json commands/hello.md plugins | tr '\n' ' ')" \
    "755 644 700 555 "
  # A directory that cannot be written is no trouble for the next one.
  echo >>"$HOME/.claude/settings.json"
  run -0 drydock sync
  only_whole
  chmod -R u+w "$HOME/.claude/plugins" "$snapshot"
}

@test "what cannot be read is named, and the status is 1" {
  [ "$(id -u)" != 0 ] || skip "root can read everything"
  host_config
  echo secret >"$HOME/.claude/closed"
  chmod 0 "$HOME/.claude/closed"
  mkdir -m 0 "$HOME/.claude/closed-dir"
  mkdir "$HOME/.claude/listed"
  echo secret >"$HOME/.claude/listed/file"
  chmod 0444 "$HOME/.claude/listed"
  run -1 --separate-stderr drydock sync
  assert_contains "$stderr" "skipped .claude/closed: it cannot be read"
  assert_contains "$stderr" "skipped .claude/closed-dir: it cannot be read"
  assert_contains "$stderr" "skipped .claude/listed/file: it cannot be read"
  assert_contains "$output" "synced"
  run -1 --separate-stderr drydock sync
  assert_contains "$stderr" "skipped .claude/closed: it cannot be read"
  run -1 --separate-stderr drydock sync --quiet
  assert_equal "$output" ""
  assert_contains "$stderr" "skipped .claude/closed: it cannot be read"
  run -0 drydock sync --check
  run -0 --separate-stderr drydock sync --if-stale --quiet
  assert_equal "$output$stderr" ""
  chmod 0600 "$HOME/.claude/closed"
  chmod 0700 "$HOME/.claude/closed-dir" "$HOME/.claude/listed"
  run -0 drydock sync
  assert_equal "$(cat "$snapshot/.claude/listed/file")" secret
  only_whole
  assert_equal "$(cat "$snapshot/.claude/closed")" secret
}

@test "every kind of change is seen, and nothing else" {
  host_config
  drydock sync
  run -0 drydock sync --check
  local change
  for change in 'rm commands/hello.md' 'touch -d 2001-01-01 settings.json' \
    'mv settings.json settings2.json' 'echo x >new' 'mkdir empty' \
    'chmod 0750 commands' 'ln -s new link' 'ln -sfn settings2.json link' \
    'rmdir empty'; do
    (cd "$HOME/.claude" && eval "$change")
    run -1 drydock sync --check
    drydock sync
    # What was written within the clock's last tick is looked at again.
    wait_for "freshness after $change" check_or_sync
  done
  # What is excluded may change.
  echo x >"$HOME/.claude/cache/x"
  echo x >>"$HOME/.claude/projects/x/talk.jsonl"
  echo x >"$HOME/.claude/.credentials.json"
  run -0 drydock sync --check
  assert_equal "$output" ""
}

check_or_sync() {
  drydock sync --check || { drydock sync && return 1; }
}

@test "--check writes nothing and lists what differs" {
  host_config
  run -1 drydock sync --check
  assert_equal "$output" "never	claude"
  assert_equal "$(find "$XDG_STATE_HOME" -mindepth 1)" ""
  drydock sync
  rm "$HOME/.claude/commands/hello.md"
  echo '{}' >"$HOME/.claude/settings.json"
  echo x >"$HOME/.claude/new"
  before=$(checksum "$XDG_STATE_HOME")
  run -1 drydock sync --check
  assert_equal "$(sort <<<"$output")" "changed	.claude/settings.json
gone	.claude/commands/hello.md
new	.claude/new"
  run -1 drydock sync --check --json
  assert_equal "$(jq -c '[.fresh, (.drift | length)]' <<<"$output")" \
    "[false,3]"
  run -1 --separate-stderr drydock sync --check --quiet
  assert_equal "$output$stderr" ""
  # Nor does it wait for who has the lock.
  run -1 flock "$agent_dir/lock" timeout 60 drydock sync --check
  assert_equal "$(checksum "$XDG_STATE_HOME")" "$before"
}

@test "--if-stale --quiet says nothing, --force makes a new one" {
  host_config
  run -0 --separate-stderr drydock sync --if-stale --quiet
  assert_equal "$output$stderr" ""
  first=$(stat -c %i "$snapshot")
  wait_for freshness check_or_sync
  first=$(stat -c %i "$snapshot")
  run -0 drydock sync --if-stale
  assert_equal "$output" ""
  run -0 drydock sync
  assert_contains "$output" "nothing changed"
  assert_equal "$(stat -c %i "$snapshot")" "$first"
  run -0 drydock sync --force
  assert_contains "$output" "synced"
  [ "$(stat -c %i "$snapshot")" != "$first" ]
  run -64 drydock sync --force --check
  run -64 drydock sync operand
}

@test "unchanged files are shared, changed ones never written" {
  host_config
  drydock sync
  wait_for freshness check_or_sync
  cp -al "$snapshot" "$BATS_TEST_TMPDIR/old"
  echo changed >"$HOME/.claude/commands/hello.md"
  drydock sync
  assert_equal "$(stat -c %i "$snapshot/.claude/settings.json")" \
    "$(stat -c %i "$BATS_TEST_TMPDIR/old/.claude/settings.json")"
  assert_equal "$(cat "$BATS_TEST_TMPDIR/old/.claude/commands/hello.md")" hello
  assert_equal "$(cat "$snapshot/.claude/commands/hello.md")" changed
}

@test "a reader keeps its snapshot, and the next sync clears it away" {
  host_config
  drydock sync
  exec {reader}<"$snapshot"
  flock -s "$reader"
  echo changed >"$HOME/.claude/settings.json"
  run -0 drydock sync
  assert_equal "$(cat "/proc/self/fd/$reader/.claude/settings.json")" \
    '{"theme": "dark"}'
  exec {reader}<&-
  drydock sync --force
  only_whole
}

@test "a sync that was killed anywhere leaves a whole snapshot" {
  host_config
  drydock sync
  old=$(checksum "$snapshot")
  echo changed >"$HOME/.claude/settings.json"
  cp -a "$agent_dir" "$BATS_TEST_TMPDIR/kept"
  drydock sync
  new=$(checksum "$snapshot")
  local call n killed=0 times="1 3" least=8
  ! all_cases || { times="1 2 3 5" least=15; }
  for call in mkdirat openat linkat copy_file_range fchmod syncfs renameat2 \
    renameat fsync unlinkat; do
    for n in $times; do
      rm -rf "$agent_dir"
      cp -a "$BATS_TEST_TMPDIR/kept" "$agent_dir"
      # Copying it made it another directory: this is a whole sync again.
      if traced -o /dev/null -e "inject=$call:signal=KILL:when=$n" \
        -e "trace=$call" drydock sync >"$BATS_TEST_TMPDIR/out" 2>&1; then
        continue
      fi
      killed=$((killed + 1))
      run ! grep synced "$BATS_TEST_TMPDIR/out"
      now=$(checksum "$snapshot")
      [ "$now" = "$old" ] || [ "$now" = "$new" ] ||
        fail "neither old nor new after $call $n"
      run -1 grep -rl canary "$XDG_STATE_HOME"
      drydock sync
      assert_equal "$(checksum "$snapshot")" "$new"
      only_whole
    done
  done
  [ "$killed" -ge "$least" ]
}

@test "of syncs at once one works, and all succeed" {
  host_config
  local i pids=()
  for i in 1 2 3 4 5 6; do
    drydock sync >"$BATS_TEST_TMPDIR/out.$i" 2>&1 3>&- &
    pids+=($!)
  done
  for i in "${pids[@]}"; do
    wait "$i" || fail "a sync failed" "$(cat "$BATS_TEST_TMPDIR"/out.*)"
  done
  [ -e "$snapshot/.claude/settings.json" ]
  only_whole
}

@test "without any configuration the snapshot is empty" {
  run -0 drydock sync
  assert_equal "$(find "$snapshot" -mindepth 1)" ""
  wait_for freshness check_or_sync
  host_config
  run -1 drydock sync --check
  run -0 drydock sync
  rm -r "$HOME/.claude" "$HOME/.claude.json"
  run -1 drydock sync --check
  drydock sync
  assert_equal "$(find "$snapshot" -mindepth 1)" ""
}

@test "names of any bytes go along and speak to no terminal" {
  host_config
  local odd=$'a\nb\e[31m\xff "x"'
  echo odd >"$HOME/.claude/$odd"
  drydock sync
  assert_equal "$(cat "$snapshot/.claude/$odd")" odd
  wait_for freshness check_or_sync
  rm "$HOME/.claude/$odd"
  run -1 drydock sync --check
  assert_equal "$(wc -l <<<"$output")" 1
  refute_contains "$output" $'\e'
  run -1 drydock sync --check --json
  jq . <<<"$output"
}
