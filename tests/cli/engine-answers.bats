# SPDX-License-Identifier: MIT
# An engine that fails, lies or dies in the middle of an answer: tests/stub.

load ../helper
load stub

setup() {
  bed_setup self
  stub_programs
}

# The arguments of the stub's call, a line for each.
call() {
  tr '\0' '\n' <"$script/calls/$1"
}

@test "an answer of docker info that is cut short is no answer" {
  printf '{"ID":"x","DockerRootDir":"/","ServerVer' >"$script/info.out"
  echo "cut 20" >"$script/info.fault"
  run -69 --separate-stderr drydock build
  assert_contains "$stderr" "drydock: docker info"
  rm "$script/info.fault"
  run -69 --separate-stderr drydock build
  assert_contains "$stderr" "drydock: answer of docker info"
  assert_equal "$output" ""
}

@test "an endless answer is cut off and refused" {
  echo spew >"$script/info.fault"
  run -69 --separate-stderr drydock build
  assert_equal "$stderr" "drydock: docker info answered more than drydock\
 reads; nothing of it is used"
}

@test "a daemon that is away is told in its own words, with what to do" {
  echo "Cannot connect to the Docker daemon at unix:///x. Is the docker\
 daemon running?" >"$script/info.err"
  echo 1 >"$script/info.rc"
  run -69 --separate-stderr drydock build
  assert_contains "$stderr" "systemctl start docker"
  assert_contains "$stderr" "  Cannot connect to the Docker daemon at unix:///x"
  # Older CLIs end with 0 and say it in the answer.
  rm "$script"/info.*
  echo '{"ID":"","ServerErrors":["Cannot connect to the Docker daemon at x"]}' \
    >"$script/info.out"
  run -69 --separate-stderr drydock build
  assert_contains "$stderr" "systemctl start docker"
  assert_contains "$stderr" "  Cannot connect to the Docker daemon at x"
}

@test "words of the engine reach the terminal escaped" {
  printf 'bad \033]0;title\007 words\n' >"$script/info.err"
  echo 1 >"$script/info.rc"
  run -69 --separate-stderr drydock build
  refute_contains "$stderr" "$(printf '\033')"
  assert_contains "$stderr" "title"
}

@test "rootless, userns-remap, Docker Desktop and old engines are refused" {
  local row
  while IFS='|' read -r row want; do
    printf '{"ID":"x","DockerRootDir":"/","OSType":"linux",%s}\n' "$row" \
      >"$script/info.out"
    run -69 --separate-stderr drydock build
    assert_contains "$stderr" "$want"
  done <<'EOF'
"ServerVersion":"26.1","SecurityOptions":["name=rootless"]|a rootless engine
"ServerVersion":"26.1","SecurityOptions":["name=userns"]|userns-remap
"ServerVersion":"26.1","SecurityOptions":[],"OperatingSystem":"Docker Desktop"|Docker Desktop
"ServerVersion":"19.03.15","SecurityOptions":[]|19.03.15
EOF
}

@test "the caller's environment steers neither docker nor Compose" {
  echo 1 >"$script/image-ls.rc"
  export COMPOSE_FILE=hostile COMPOSE_PROFILES=hostile DOCKER_BUILDKIT=hostile \
    PROJECT_DIR=hostile BUILDX_BUILDER=hostile LD_BIND_NOT=hostile
  run drydock build
  [ -e "$script/calls/info.1.env" ]
  [ -e "$script/calls/compose-version.1.env" ]
  run ! grep -rlaF hostile "$script/calls"
  grep -x "DOCKER_HOST=unix://$DRYDOCK_ENGINE" "$script/calls/info.1.env"
}

@test "the docker configuration is ours, private and empty" {
  echo 1 >"$script/info.rc"
  mkdir -p "$BATS_TEST_TMPDIR/theirs"
  echo '{"proxies":{"default":{"httpProxy":"http://user:secret@proxy"}}}' \
    >"$BATS_TEST_TMPDIR/theirs/config.json"
  DOCKER_CONFIG=$BATS_TEST_TMPDIR/theirs run -69 drydock build
  local dir=$XDG_STATE_HOME/drydock/docker
  grep -x "DOCKER_CONFIG=$dir" "$script/calls/info.1.env"
  assert_equal "$(stat -c %a "$dir")" 700
  assert_equal "$(cat "$dir/config.json")" "{}"
}
