# SPDX-License-Identifier: MIT
# Settings: one table, three places to set them, and what is wrong is named.

load ../helper

setup() {
  bed_setup self
  conf=$XDG_CONFIG_HOME/drydock/drydock.conf
}


@test "an option beats the environment, which beats the file" {
  run -0 drydock config
  assert_contains "$output" "pids = 2048"
  echo 'pids = 100' >"$conf"
  run -0 drydock config
  assert_contains "$output" "pids = 100"
  DRYDOCK_PIDS=200 run -0 drydock config
  assert_contains "$output" "pids = 200"
  DRYDOCK_PIDS=200 run -0 drydock config --pids 300
  assert_contains "$output" "pids = 300"
}

@test "the output is a drydock.conf that sets the same" {
  export DRYDOCK_MEMORY=3g DRYDOCK_PACKAGES="make,gcc" DRYDOCK_CPUS=1.5
  drydock config >"$BATS_TEST_TMPDIR/first"
  unset DRYDOCK_MEMORY DRYDOCK_PACKAGES DRYDOCK_CPUS
  cp "$BATS_TEST_TMPDIR/first" "$conf"
  drydock config >"$BATS_TEST_TMPDIR/second"
  diff "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second"
  grep -x 'cpus = 1.5' "$BATS_TEST_TMPDIR/second"
}

@test "an unknown key is refused with file, line and the nearest name" {
  printf '# a comment\n\nmemry = 4g\n' >"$conf"
  run -78 --separate-stderr drydock config
  assert_equal "$output" ""
  assert_equal "$stderr" \
    "drydock: $conf:3: unknown key \"memry\" (nearest: memory)"
}

@test "a bad value is refused with file and line" {
  printf 'pids = many\n' >"$conf"
  run -78 --separate-stderr drydock config
  assert_contains "$stderr" "drydock: $conf:1: pids: "
}

@test "an unknown variable is refused with the nearest name" {
  DRYDOCK_MEMRY=1g run -78 --separate-stderr drydock config
  assert_contains "$stderr" "DRYDOCK_MEMRY"
  assert_contains "$stderr" "nearest: DRYDOCK_MEMORY"
}

@test "a file that others may write to is refused" {
  echo 'pids = 100' >"$conf"
  chmod 0666 "$conf"
  run -78 --separate-stderr drydock config
  assert_contains "$stderr" drydock.conf
}

@test "what a file holds cannot speak to the terminal" {
  printf 'pids = \033]0;x\007\n' >"$conf"
  run -78 --separate-stderr drydock config
  refute_contains "$stderr" $'\033'
  refute_contains "$stderr" $'\007'
}

@test "a relative HOME or XDG directory is refused" {
  HOME=somewhere run -78 --separate-stderr drydock config
  assert_contains "$stderr" HOME
  XDG_STATE_HOME=somewhere run -78 --separate-stderr drydock config
  assert_contains "$stderr" XDG_STATE_HOME
}

@test "a project has settings of its own, which beat drydock.conf's" {
  printf 'pids = 100\nmemory = 1g\n' >"$conf"
  project_conf <<<'pids = 200
toolchains = rust node'
  run -0 --separate-stderr drydock config --project "$project"
  assert_contains "$output" "pids = 200"
  assert_contains "$output" "memory = 1g"
  assert_contains "$output" 'toolchains = "rust node"'
  run -0 --separate-stderr drydock config
  assert_contains "$output" "pids = 100"
  assert_contains "$output" 'toolchains = ""'
  DRYDOCK_PIDS=300 run -0 --separate-stderr drydock config --project "$project"
  assert_contains "$output" "pids = 300"
  DRYDOCK_PIDS=300 run -0 --separate-stderr drydock config --pids 400 --project "$project"
  assert_contains "$output" "pids = 400"
  # What the project itself holds decides nothing.
  printf 'pids = 500\n' >"$project/drydock.conf"
  run -0 --separate-stderr drydock config --project "$project"
  assert_contains "$output" "pids = 200"
}

@test "a project's file that is wrong is refused by its name" {
  project_conf <<<'engine = /tmp/other.sock'
  run -78 --separate-stderr drydock config --project "$project"
  assert_equal "$stderr" "drydock: $own:1: engine cannot be set for one project: \
set it in drydock.conf"
  project_conf <<<'toolchains = $(id)'
  run -78 --separate-stderr drydock config --project "$project"
  assert_contains "$stderr" "$own:1: toolchains: \"\$(id)\" is not the name"
  project_conf <<<'mode = dood'
  chmod 0666 "$own"
  run -78 --separate-stderr drydock config --project "$project"
  assert_contains "$stderr" "$own can be written by others"
  # A link into the project is not a file that decides.
  rm "$own"
  echo 'mode = dood' >"$project/conf"
  chmod 0600 "$project/conf"
  ln -s "$project/conf" "$own"
  run -77 --separate-stderr drydock shell "$project" -- true
  assert_contains "$stderr" "$project/conf decides what a session may do"
}

@test "set and unset change one line, and keep comments and order" {
  printf '# mine\npids = 100 # few\n\nmemory = 1g\n' >"$conf"
  chmod 0640 "$conf"
  run -0 --separate-stderr drydock config set pids 200
  assert_equal "$output$stderr" ""
  assert_equal "$(<"$conf")" $'# mine\npids = 200 # few\n\nmemory = 1g'
  assert_equal "$(stat -c %a "$conf")" 640
  run -0 drydock config set packages 'make gcc'
  run -0 drydock config get packages
  assert_equal "$output" "make gcc"
  run -0 drydock config unset pids
  assert_equal "$(<"$conf")" $'# mine\n\nmemory = 1g\npackages = "make gcc"'
  run -1 --separate-stderr drydock config unset pids
  assert_equal "$stderr" "drydock: pids is not set in this file"
  # Nothing is left beside the file, and no other process loses its change.
  assert_equal "$(ls -A "$XDG_CONFIG_HOME/drydock")" drydock.conf
  local name
  for name in pids=300 cpus=2 tmp_size=2g shm_size=1g mode=dood agent=codex; do
    drydock config set "${name%=*}" "${name#*=}" &
  done
  wait
  assert_equal "$(grep -cE '^(pids|cpus|tmp_size|shm_size|mode|agent) = ' "$conf")" 6
}

@test "set writes behind a link, and keeps the link" {
  mkdir "$BATS_TEST_TMPDIR/dotfiles"
  echo '# dotfiles' >"$BATS_TEST_TMPDIR/dotfiles/conf"
  ln -s "$BATS_TEST_TMPDIR/dotfiles/conf" "$conf"
  run -0 drydock config set pids 200
  [ -L "$conf" ]
  assert_equal "$(<"$BATS_TEST_TMPDIR/dotfiles/conf")" $'# dotfiles\npids = 200'
  chmod 0777 "$BATS_TEST_TMPDIR/dotfiles"
  run -78 --separate-stderr drydock config set pids 300
  chmod 0700 "$BATS_TEST_TMPDIR/dotfiles"
  assert_equal "$(<"$BATS_TEST_TMPDIR/dotfiles/conf")" $'# dotfiles\npids = 200'
}

@test "set refuses what the reader would, and then writes nothing" {
  printf '# mine\n' >"$conf"
  local words
  for words in "pids many" "memry 1g" "pids 1" "mode dodo" "agent ../x" \
    "toolchains \$(id)"; do
    # shellcheck disable=SC2086 # two words
    run -64 --separate-stderr drydock config set $words
    assert_contains "$stderr" "drydock: config: "
  done
  run -64 --separate-stderr drydock config set engine /x --project "$project"
  assert_contains "$stderr" "engine cannot be set for one project"
  run -64 --separate-stderr drydock config set agent $'a\nmode = dood'
  run -64 --separate-stderr drydock config set ca_file $'/a\nmode = dood'
  run -64 drydock config set pids
  run -64 drydock config get
  run -64 drydock config "$project"
  assert_equal "$(<"$conf")" "# mine"
  # One line too many for the whole file.
  head -c 65530 /dev/zero | tr '\0' '#' >"$conf"
  run -78 --separate-stderr drydock config set pids 100
  assert_contains "$stderr" "larger than 65536 bytes"
  assert_equal "$(stat -c %s "$conf")" 65530
}

@test "set makes a project's own file, for its real path alone" {
  local link=$BATS_TEST_TMPDIR/name real=$BATS_TEST_TMPDIR/real
  mkdir "$real"
  ln -s real "$link"
  run -0 drydock config set mode dood --project "$link"
  run -0 drydock config get mode --project="$real"
  assert_equal "$output" dood
  run -0 drydock config get mode
  assert_equal "$output" ""
  # The working directory's.
  cd "$real"
  run -0 drydock config --project get mode
  assert_equal "$output" dood
  # A clone in the place of the name inherits nothing.
  rm "$link"
  mkdir "$link"
  run -0 drydock config get mode --project "$link"
  assert_equal "$output" ""
  assert_equal "$(find "$XDG_CONFIG_HOME/drydock/projects" -type d -printf '%m\n' | uniq)" 700
}

@test "--show-source says where each value comes from" {
  printf 'pids = 100\nmemory = 1g\nmode = contained\n' >"$conf"
  project_conf <<<'pids = 200'
  export DRYDOCK_MEMORY=2g
  run -0 drydock config list --project "$project" --show-source --tmp-size 2g
  assert_contains "$output" "pids = 200 # $own"
  assert_contains "$output" "memory = 2g # DRYDOCK_MEMORY"
  assert_contains "$output" "mode = contained # $conf"
  assert_contains "$output" "tmp_size = 2g # --tmp-size"
  assert_contains "$output" "cpus = 0 # default"
  # It is a drydock.conf still.
  unset DRYDOCK_MEMORY
  echo "$output" >"$BATS_TEST_TMPDIR/all"
  cp "$BATS_TEST_TMPDIR/all" "$conf"
  run -0 drydock config get memory
  assert_equal "$output" 2g
  run -0 drydock config get pids --show-source
  assert_equal "$output" "pids = 200 # $conf"
  run -0 drydock config get pids --show-source --json
  assert_equal "$(jq -c . <<<"$output")" \
    "{\"pids\":{\"value\":200,\"source\":\"$conf\"}}"
}

@test "config makes nothing" {
  drydock config >/dev/null
  assert_equal "$(ls -A "$XDG_STATE_HOME")" ""
}
