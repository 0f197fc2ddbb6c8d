# SPDX-License-Identifier: MIT
# Directories that no session gets, also when the setting lists them, under each
# of their names; and projects.

load ../helper
load judging

setup() {
  mkdir "$BATS_TEST_TMPDIR/home" "$BATS_TEST_TMPDIR/data"
  [ "$(id -u)" != 0 ] || chmod 0700 "$BATS_TEST_TMPDIR/home"
  bed_setup self
  export HOME=$BATS_TEST_TMPDIR/home
  judging_setup
}

teardown() {
  judging_teardown
}

# listed RULE SOURCE [STATUS]: refused though the setting has it.
listed() {
  export DRYDOCK_BINDS=$2
  bind "$1" "$2" /data '' "${3-77}"
}

a_socket() {
  (cd "${1%/*}" && python3 -c 'import socket, sys
socket.socket(1).bind(sys.argv[1])' "${1##*/}")
}

# as_project RULE DIR
as_project() {
  local project=$2 status=77
  [ -n "$1" ] || status=0
  judge "$status" "$1" ''
}

@test "a directory that the setting lists may be bound, and no other" {
  listed "" "$BATS_TEST_TMPDIR/data" 0
  bind bind-source "$BATS_TEST_TMPDIR/data/" /data/x
  mkdir "$BATS_TEST_TMPDIR/data/sub"
  bind bind-source "$BATS_TEST_TMPDIR/data/sub" /data
  bind bind-source "$BATS_TEST_TMPDIR/data2" /data
  bind bind-source "/proc/self/root$BATS_TEST_TMPDIR/data" /data
  bind bind-source "$BATS_TEST_TMPDIR/DATA" /data
}

@test "places of keys, credentials and programs" {
  local place
  for place in .ssh .gnupg .aws .azure .kube .docker .config/gcloud .config/gh \
    .password-store .local; do
    mkdir -p "$HOME/$place"
    listed source-credentials "$HOME/$place"
  done
  mkdir "$HOME/.ssh/deep" "$HOME/.local/bin"
  listed source-credentials "$HOME/.ssh/deep"
  listed source-credentials "$HOME/.local/bin"
  # Holds two of them.
  listed source-credentials "$HOME/.config"
  # Not there yet, and whoever has the directory could make it.
  rm -r "$HOME/.config/gcloud" "$HOME/.config/gh"
  mkdir -p "$HOME/.config"
  listed source-credentials "$HOME/.config"
  true >"$HOME/.netrc"
  true >"$HOME/.git-credentials"
  listed source-kind "$HOME/.netrc"
  listed source-kind "$HOME/.git-credentials"
}

@test "the same under other names: links, renamed, through /proc" {
  mkdir -p "$HOME/.ssh/deep" "$HOME/kube"
  ln -s "$HOME/.ssh" "$BATS_TEST_TMPDIR/link"
  listed source-kind "$BATS_TEST_TMPDIR/link"
  listed source-link "$BATS_TEST_TMPDIR/link/deep"
  ln -s kube "$HOME/.kube"
  listed source-credentials "$HOME/kube"
  mkdir -p "$HOME/keys/inside" && ln -s keys/inside "$HOME/.aws"
  listed source-credentials "$HOME/keys"
  listed source-link "/proc/self/root$HOME/.ssh"
  listed source-kind /proc/self/cwd
  listed source-kind /dev/fd
  listed source-link "$HOME/.ssh/"
  listed source-link "$HOME//.ssh"
  listed source-link "$HOME/kube/../.ssh"
  listed "*DRYDOCK_BINDS" .ssh 78
}

@test "the home, what holds it, and /" {
  listed source-home "$HOME"
  listed source-home "$BATS_TEST_TMPDIR"
  listed source-home /
}

@test "the agent's own configuration on the host" {
  mkdir -p "$HOME/.claude/projects"
  listed source-agent "$HOME/.claude"
  listed source-agent "$HOME/.claude/projects"
}

@test "the system's directories, and root's home" {
  local dir
  for dir in /etc /proc /sys /dev /run /boot /etc/ssl /proc/sys /dev/shm; do
    listed source-system "$dir"
  done
  listed source-system /root
}

@test "the engine's data and sockets, and sockets of others" {
  mkdir "$BATS_TEST_TMPDIR/engine-data/sub"
  listed source-engine "$BATS_TEST_TMPDIR/engine-data"
  listed source-engine "$BATS_TEST_TMPDIR/engine-data/sub"
  listed source-kind "$DRYDOCK_ENGINE"
  ln -s "$DRYDOCK_ENGINE" "$BATS_TEST_TMPDIR/other.sock"
  listed source-kind "$BATS_TEST_TMPDIR/other.sock"
  all_end
  mkdir "$BATS_TEST_TMPDIR/eng"
  mv "$DRYDOCK_ENGINE" "$BATS_TEST_TMPDIR/eng/sock"
  DRYDOCK_ENGINE=$BATS_TEST_TMPDIR/eng/sock
  listed source-engine "$BATS_TEST_TMPDIR/eng"
  a_socket "$BATS_TEST_TMPDIR/data/sock"
  listed source-kind "$BATS_TEST_TMPDIR/data/sock"
  # Some program's socket in it is no engine's.
  listed "" "$BATS_TEST_TMPDIR/data" 0
  mkfifo "$BATS_TEST_TMPDIR/fifo"
  listed source-kind "$BATS_TEST_TMPDIR/fifo"
  listed source-kind "$BATS_TEST_TMPDIR/absent"
}

@test "drydock's configuration, tokens and state, and other sessions" {
  local state=$XDG_STATE_HOME/drydock dir
  (umask 077 && mkdir -p "$state/tokens" "$state/sessions/abcdefgh/home" \
    "$state/sessions/abcdefgh/run" "$state/agents/claude/history/other")
  listed source-drydock "$BATS_TEST_TMPDIR/case.$((cases + 1))/drydock"
  for dir in '' /tokens /sessions /sessions/abcdefgh/home \
    /sessions/abcdefgh/run /agents/claude/history/other /agents; do
    listed source-drydock "$state$dir"
  done
  listed source-drydock "$XDG_STATE_HOME"
}

@test "the project's own history is at its place alone" {
  local history
  history=$(drydock plan --json "$project" | jq -r '.model.services.agent
    .volumes[] | select(.target == "/var/lib/drydock/history").source')
  (umask 077 && mkdir -p "$history")
  listed source-drydock "$history"
  # What is no more protected elsewhere may stand there twice.
  listed "" "$project" 0
}

@test "directories of PATH, and drydock's own program" {
  local prefix
  mkdir "$BATS_TEST_TMPDIR/tools"
  ln -s tools "$BATS_TEST_TMPDIR/tools-link"
  PATH=$PATH:$BATS_TEST_TMPDIR/tools-link
  listed source-program "$BATS_TEST_TMPDIR/tools"
  prefix=$(dirname "$(dirname "$(readlink -f "$(type -P drydock)")")")
  listed source-program "$prefix"
  listed source-program "$prefix/bin"
  listed source-program "$prefix/share/drydock"
}

@test "a project is none of these either, and is told what to do" {
  local dir
  as_project "*give a directory below it" "$HOME"
  as_project "*give the directory that the agent" "$BATS_TEST_TMPDIR"
  as_project "*give the directory that the agent" /
  mkdir -p "$HOME/.ssh/deep" "$HOME/.claude" "$BATS_TEST_TMPDIR/tools" \
    "$HOME/.local/src" "$XDG_STATE_HOME/drydock"
  as_project source-credentials "$HOME/.ssh/deep"
  as_project source-credentials "$HOME/.local/src"
  as_project source-agent "$HOME/.claude"
  as_project source-system /etc/ssl
  # Whatever PATH says, and whether it is there: drydock runs what is in it.
  for dir in /usr /usr/local /usr/local/lib /usr/bin; do
    PATH=$(dirname "$(type -P drydock)"):/bin as_project source-program "$dir"
  done
  as_project source-engine "$BATS_TEST_TMPDIR/engine-data"
  as_project "*which no agent may change" "$XDG_STATE_HOME/drydock"
  ln -s "$HOME/.ssh" "$BATS_TEST_TMPDIR/link"
  as_project source-credentials "$BATS_TEST_TMPDIR/link"
  PATH=$PATH:$BATS_TEST_TMPDIR/tools
  as_project source-program "$BATS_TEST_TMPDIR/tools"
  a_socket "$project/sock"
  judge 0 "" ''
}

@test "what decides launches lies in no project and no writable bind" {
  local dots=$BATS_TEST_TMPDIR/dots name
  all_end
  (umask 077 && mkdir -p "$dots/sub/policy.d" "$dots/deep")
  true >"$dots/sub/drydock.conf"
  true >"$dots/sub/allowlist"
  true >"$dots/sub/policy.d/x.jq"
  echo '[]' >"$dots/sub/policy.d/x.jq"
  for name in drydock.conf allowlist policy.d; do
    ln -s "$dots/sub/$name" "$config/$name"
    # Another project is fine, as long as no session had this one.
    drydock plan "$project" >/dev/null
    run -77 --separate-stderr drydock plan "$dots"
    assert_contains "$stderr" "$dots/sub/$name"
    assert_contains "$stderr" "replace the link with a copy"
    drydock plan "$dots/deep" >/dev/null
    (umask 077 && mkdir -p "$XDG_STATE_HOME/drydock")
    printf '%032d\n' 0 >"$XDG_STATE_HOME/drydock/id"
    echo "$dots" >"$XDG_STATE_HOME/drydock/projects"
    run -77 --separate-stderr drydock plan "$project"
    assert_contains "$stderr" "lies in $dots, which a session can or could write"
    rm "$XDG_STATE_HOME/drydock/projects" "$config/$name"
  done
  # Also when it is a bind of an overlay's, and a link that leads further.
  ln -s ../dots/sub/allowlist "$BATS_TEST_TMPDIR/data/link"
  ln -s "$BATS_TEST_TMPDIR/data/link" "$config/allowlist"
  printf 'services: { agent: { volumes: [ { type: bind, source: "%s",
    target: /data, bind: { create_host_path: false } } ] } }\n' \
    "$BATS_TEST_TMPDIR/data" >"$config/compose.d/z.yml"
  chmod go-w "$config/compose.d/z.yml"
  DRYDOCK_BINDS=$BATS_TEST_TMPDIR/data run -77 --separate-stderr \
    drydock plan "$project"
  assert_contains "$stderr" "source-drydock: agent: \"$BATS_TEST_TMPDIR/data\""
}

@test "who could replace what decides launches is refused by the parent's name" {
  all_end
  mkdir -m 0777 "$BATS_TEST_TMPDIR/open"
  chmod 0777 "$BATS_TEST_TMPDIR/open"
  true >"$BATS_TEST_TMPDIR/open/allowlist"
  ln -s "$BATS_TEST_TMPDIR/open/allowlist" "$config/allowlist"
  run -78 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "$BATS_TEST_TMPDIR/open can be written by others"
}

@test "what the host runs by itself, and where programs keep accounts" {
  local place
  for place in .config/systemd .config/systemd/user .config/autostart \
    .config/fish .config/git; do
    mkdir -p "$HOME/$place"
    listed source-startup "$HOME/$place"
  done
  for place in .mozilla .config/chromium snap/firefox; do
    mkdir -p "$HOME/$place"
    listed source-credentials "$HOME/$place"
  done
  mkdir -p "$HOME/bin/deep" "$HOME/.cargo/bin"
  listed source-program "$HOME/bin/deep"
  as_project source-program "$HOME/.cargo"
  # A shell's start file that is kept elsewhere.
  mkdir "$HOME/dots" "$HOME/clone"
  true >"$HOME/dots/bashrc"
  ln -s dots/bashrc "$HOME/.bashrc"
  as_project source-startup "$HOME/dots"
  as_project "" "$HOME/clone"
  all_end
  run -77 --separate-stderr drydock plan "$HOME/dots"
  assert_contains "$stderr" "work on a copy or a clone of it"
}

@test "a project that holds a directory of PATH, but for an environment of its own" {
  local old=$PATH
  mkdir -p "$project/tools" "$project/.venv/bin" "$project/node_modules/.bin"
  PATH=$old:$project/tools
  as_project source-program "$project"
  listed source-program "$project"
  all_end
  unset DRYDOCK_BINDS
  run -77 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "take it out of PATH"
  # Not there yet: the agent could make it.
  PATH=$old:$project/later/bin
  as_project source-program "$project"
  all_end
  PATH=$project/.venv/bin:$old
  as_project source-program "$project"
  all_end
  export VIRTUAL_ENV=$project/.venv
  PATH=$project/node_modules/.bin:$PATH
  as_project "" "$project"
  as_project source-program "$project/.venv/bin"
}

@test "a program that listens in the project is refused unless the setting allows" {
  mkdir "$project/.db"
  (cd "$project/.db" && exec python3 -c 'import socket, time
s = socket.socket(1)
s.bind("sock")
s.listen(99)
open("ready", "w")
time.sleep(60)') >/dev/null 2>&1 3>&- &
  wait_for "a listener" test -e "$project/.db/ready"
  run -77 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "source-socket: agent: a program listens at"
  assert_contains "$stderr" "$project/.db/sock"
  DRYDOCK_PROJECT_SOCKETS=yes drydock plan "$project" >/dev/null
  drydock plan --mode dood "$project" >/dev/null
  # Once it has ended, what it left is harmless.
  kill "$!"
  wait_for "end of the listener" drydock plan "$project"
  [ -S "$project/.db/sock" ]
}
