# SPDX-License-Identifier: MIT
# What tools/deps tells whoever may not install.

load ../helper

setup() {
  bed_setup self
  bin=$BATS_TEST_TMPDIR/bin
  mkdir -p "$bin"
  printf '#!/bin/sh\necho 1000\n' >"$bin/id"
  printf '#!/bin/sh\nexit 1\n' >"$bin/dpkg-query"
  chmod +x "$bin"/*
}

@test "without root and a terminal it names what root should run" {
  deps=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)/tools/deps
  PATH=$bin:$PATH run -69 --separate-stderr "$deps" build run engine </dev/null
  assert_contains "$stderr" "missing: autoconf automake "
  assert_contains "$stderr" "; run as root: $deps build run engine"
}

@test "an engine that is missing alone is no temporary file's name" {
  for tool in docker docker-compose dockerd; do
    printf '#!/bin/sh\nexit 1\n' >"$bin/$tool"
  done
  printf '#!/bin/sh\nprintf installed\n' >"$bin/dpkg-query"
  chmod +x "$bin"/*
  deps=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)/tools/deps
  PATH=$bin:$PATH run -69 --separate-stderr "$deps" engine </dev/null
  assert_equal "$stderr" "tools/deps: missing: docker-buildx docker-cli\
 docker-compose docker.io iptables; run as root: $deps engine"
}

@test "quickstart names a directory or a home that is none" {
  quickstart=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)/quickstart
  PATH=$bin:$PATH run -69 --separate-stderr "$quickstart" /nosuch </dev/null
  assert_equal "$stderr" "quickstart: /nosuch is no directory"
  HOME=home PATH=$bin:$PATH run -69 --separate-stderr "$quickstart" </dev/null
  assert_equal "$stderr" "quickstart: HOME is not set to an absolute path"
}
