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

# An engine with the base image, and buildx.
stub_builder() {
  # shellcheck disable=SC2034 # stub_image adds to it
  stub_images=
  stub_image "$(printf 'b%.0s' {1..64})" '"Labels":{}' debian:12-slim
  echo 'github.com/docker/buildx 0.17' >"$script/buildx-version.out"
}

@test "an answer that is cut short is no answer" {
  local fault
  for fault in "cut 20" "cut-head 30" "cut-chunk 20" "length 20" die wrong \
    "message no" "redirect /v1.41/info"; do
    echo "$fault" >"$script/info.fault"
    run -69 --separate-stderr drydock build
    assert_contains "$stderr" "drydock: the engine"
    assert_contains "$stderr" "GET /info"
    assert_equal "$output" ""
    [ ! -e "$script/calls/build.1" ]
  done
  # One byte after the other is slow, and whole.
  echo slow >"$script/info.fault"
  run drydock build
  refute_contains "$output" "GET /info"
}

@test "an endless answer is cut off and refused" {
  echo spew >"$script/info.fault"
  run -69 --separate-stderr drydock build
  assert_equal "$stderr" "drydock: the engine's answer to GET /info is larger\
 than drydock reads, and is not used"
}

@test "a version of the API that is too old or too new is refused by name" {
  echo '{"Version":"19.03","ApiVersion":"1.40","MinAPIVersion":"1.12"}' \
    >"$script/version.out"
  run -69 --separate-stderr drydock build
  assert_equal "$stderr" "drydock: the engine has version 19.03, and drydock\
 needs Docker Engine 20.10 or newer"
  echo '{"Version":"40.1","ApiVersion":"1.90","MinAPIVersion":"1.60"}' \
    >"$script/version.out"
  run -69 --separate-stderr drydock build
  assert_contains "$stderr" "(version 40.1) speaks its API from version 1.60"
  assert_contains "$stderr" "install a newer drydock"
  [ ! -e "$script/calls/info.1" ]
  # The engine's least, where that is more than ours.
  echo '{"Version":"29.0.1","ApiVersion":"1.52","MinAPIVersion":"1.44"}' \
    >"$script/version.out"
  run drydock build
  assert_equal "$(call version.1)" "GET
/version"
  assert_equal "$(call info.1)" "GET
/v1.44/info"
}

@test "a command that needs neither does not load libcurl and libarchive" {
  local command
  for command in --version --help config; do
    run -0 traced -f -e trace=openat -o "$BATS_TEST_TMPDIR/trace" \
      drydock "$command"
    grep -q libjq "$BATS_TEST_TMPDIR/trace"
    run ! grep -e libcurl -e libarchive "$BATS_TEST_TMPDIR/trace"
  done
  traced -f -e trace=openat -o "$BATS_TEST_TMPDIR/trace" drydock build || true
  grep -q libcurl "$BATS_TEST_TMPDIR/trace"
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
  [ -e "$script/calls/compose-version.1.env" ]
  run ! grep -rlaF hostile "$script/calls"
  grep -x "DOCKER_HOST=unix://$DRYDOCK_ENGINE" \
    "$script/calls/compose-version.1.env"
}

@test "the docker configuration is ours, private and empty" {
  echo 1 >"$script/info.rc"
  mkdir -p "$BATS_TEST_TMPDIR/theirs"
  echo '{"proxies":{"default":{"httpProxy":"http://user:secret@proxy"}}}' \
    >"$BATS_TEST_TMPDIR/theirs/config.json"
  DOCKER_CONFIG=$BATS_TEST_TMPDIR/theirs run -69 drydock build
  local dir=$XDG_STATE_HOME/drydock/docker
  grep -x "DOCKER_CONFIG=$dir" "$script/calls/compose-version.1.env"
  assert_equal "$(stat -c %a "$dir")" 700
  assert_equal "$(cat "$dir/config.json")" "{}"
}

@test "what a killed build leaves, the next one clears" {
  local pid dir builder=$BATS_TEST_TMPDIR/builder
  stub_builder
  printf '#!/bin/sh\necho $$ >"%s.pid"\nexec sleep 600\n' "$builder" >"$builder"
  chmod 0755 "$builder"
  echo "$builder" >"$script/build.exec"
  drydock build 3>&- &
  pid=$!
  wait_for "a build" test -s "$builder.pid"
  kill -KILL "$pid"
  wait "$pid" || true
  dir=$(call build.1 | sed -n 's|^--iidfile=\(.*\)/iid$|\1|p')
  [ -d "$dir" ]
  kill "$(cat "$builder.pid")"
  rm "$script/build.exec"
  echo 1 >"$script/build.rc"
  run -69 --separate-stderr drydock build
  assert_contains "$stderr" "docker build failed with status 1"
  [ ! -e "$dir" ]
  [ ! -e "$XDG_STATE_HOME/drydock/build" ]
}

@test "a build warns if npm's credentials are withheld for want of registry=" {
  local npmrc=$BATS_TEST_TMPDIR/npmrc want
  want="drydock: warning: npm's configuration has no \"registry=URL\" line; the\
 build gets only credentials of registries with \"@scope:registry=URL\""
  stub_builder
  echo 1 >"$script/build.rc"
  export NPM_CONFIG_USERCONFIG=$npmrc
  echo '//r.example/:_authToken=t' >"$npmrc"
  run -69 --separate-stderr drydock build
  assert_equal "${stderr_lines[1]}" "$want"
  assert_equal "$(grep -c "npm's configuration" <<<"$stderr")" 1
  echo 'registry=https://r.example/' >>"$npmrc"
  run -69 --separate-stderr drydock build
  refute_contains "$stderr" "npm's configuration"
}

@test "a build prints the titles of its steps" {
  stub_builder
  echo 1 >"$script/build.rc"
  printf '%s\n' '#1 [internal] load build definition' \
    '#6 [2/6] RUN --mount=type=tmpfs   apt-install' '#6 1.23 words' \
    >"$script/build.err"
  run -69 --separate-stderr drydock build
  assert_equal "${stderr_lines[0]}" "drydock: building the agent image"
  assert_equal "${stderr_lines[1]}" "drydock: agent: [2/6] RUN apt-install"
  assert_contains "${stderr_lines[2]}" "docker build failed with status 1"
}
