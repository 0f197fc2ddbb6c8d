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
}

@test "a repository that signs is committed to without the keys, by the address that a conditional include gives" {
  local config=$BED/user/.gitconfig
  git_project
  as_who tee "$config" "$BED/user/.work" >/dev/null <<END
[user]
	name = n
	email = home@example.org
[includeIf "gitdir:$BATS_TEST_TMPDIR/"]
	path = $BED/user/.work
END
  printf '[user]\nemail = work@example.org\n' | as_who tee "$BED/user/.work"
  run --separate-stderr in_session sh -ec 'git commit -q --allow-empty -m x
    git tag -a -m y y
    git log --format="%s%GG %an %ae"
    git config --get commit.gpgsign'
  rm "$config" "$BED/user/.work"
  assert_equal "$status $output" $'0 x n work@example.org\nfalse'
  refute_contains "$stderr" "git"
}

@test "what git will not find is said; a umask, a time zone and memory are as they can be" {
  mkdir -p "$project/sub"
  chown "$BED_UID" "$project/sub"
  git_project
  top=$project
  project=$top/sub
  # shellcheck disable=SC2016 # the other shell
  TZ=No/Where DRYDOCK_SHM_SIZE=128m run -128 --separate-stderr as_who sh -c \
    'umask 0722
    exec drydock shell "$0" -- \
      sh -c "umask; date +%z; df -m /dev/shm; git rev-parse"' \
    "$project" </dev/null
  assert_contains "$stderr" "git does not work in the session, since the\
 repository of $top/sub is in $top, outside of the project: start the session on\
 $top"
  # A umask takes nothing from the owner of a file.
  assert_equal "${lines[*]:0:2}" "0022 +0000"
  assert_contains "$output" " 128 "
}

# in_terminal TERM COMMAND...: a session on a terminal; prints what it wrote.
in_terminal() {
  TERM=$1 as_who script -qec "stty cols 200
    drydock shell '$project' -- ${*:2}" /dev/null </dev/null | tr -d '\r'
}

@test "a terminal that only the host describes is known inside" {
  mkdir -p "$BATS_TEST_TMPDIR/terminfo"
  infocmp xterm-256color | sed 's/^xterm-256color|/xterm-of-mine|/' |
    tic -x -o "$BATS_TEST_TMPDIR/terminfo" -
  chmod -R go+rX "$BATS_TEST_TMPDIR/terminfo"
  # A file of root's or the caller's counts.
  TERMINFO=$BATS_TEST_TMPDIR/terminfo run -0 in_terminal xterm-of-mine \
    "sh -c 'echo term=\$TERM; tput -T xterm-of-mine colors
      tput -T st-256color longname'"
  assert_contains "$output" term=xterm-of-mine
  assert_contains "$output" 256
  refute_contains "$output" "unknown terminal"
  # test-spawn.c has what TERM becomes.
  all_cases || return 0
  run -0 in_terminal xterm-of-nobody "sh -c 'echo term=\$TERM; tput colors'"
  assert_contains "$output" term=xterm-256color
  run -0 in_terminal st-256color "sh -c 'echo term=\$TERM; tput colors'"
  assert_contains "$output" term=st-256color
}

@test "umask, time zone, locale, home.d and what one expects of a shell at once are there" {
  echo 'pass_env = LANG' >"$XDG_CONFIG_HOME/drydock/drydock.conf"
  # home.d has files for each agent, and sparse ones stay sparse.
  as_who mkdir -p "$XDG_CONFIG_HOME/drydock/home.d/claude"
  echo "set nu" | as_who tee "$XDG_CONFIG_HOME/drydock/home.d/.vimrc"
  as_who truncate -s 2G "$XDG_CONFIG_HOME/drydock/home.d/claude/.image"
  TZ=Asia/Kolkata LANG=xx_XX.UTF-8 run -0 --separate-stderr in_session \
    sh -c 'umask; date +%z; locale charmap; echo "$LANG"; cat ~/.vimrc
      stat -c %s ~/.image; du -k ~/.image | cut -f 1; df -m /dev/shm
      for program in make gcc nano vi pip rsync unzip xz tput file; do
        command -v "$program" >/dev/null || echo "no $program"
      done
      python3 -m venv /tmp/v && /tmp/v/bin/pip --version >/dev/null ||
        echo "no venv"
      printf "all:\n\t@echo made\n" >Makefile && make
      echo "int main(void){return 0;}" >a.c && gcc a.c -o /tmp/a && /tmp/a &&
        echo compiled'
  assert_equal "${lines[*]:0:6}" \
    "0077 +0530 UTF-8 C.UTF-8 set nu 2147483648"
  [ "${lines[6]}" -lt 64 ]
  assert_contains "$output" " 64 "
  refute_contains "$output" "no "
  assert_equal "$(tail -n 2 <<<"$output")" made$'\n'compiled
  refute_contains "$stderr" locale
}
