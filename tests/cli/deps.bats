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
  # Groups share packages.
  assert_equal "$(tr ' ;' '\n' <<<"$stderr" | grep -cx curl)" 1
}

# complete: a user's machine on which Docker works, with the PATH of a login.
complete() {
  printf '#!/bin/sh\nprintf installed\n' >"$bin/dpkg-query"
  printf '#!/bin/sh\necho 2.26.1\n' >"$bin/docker-compose"
  printf '#!/bin/sh\nexit 0\n' >"$bin/docker"
  printf '#!/bin/sh\nprintf OK\n' >"$bin/curl"
  chmod +x "$bin"/*
}

@test "only what is missing of an engine is named" {
  deps=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)/tools/deps
  complete
  printf '#!/bin/sh\nexit 1\n' >"$bin/docker"
  PATH=$bin:$PATH run -69 --separate-stderr "$deps" engine </dev/null
  assert_equal "$stderr" "tools/deps: missing: docker-buildx; run as root:\
 $deps engine"
  complete
  printf '#!/bin/sh\necho 1.29.2\n' >"$bin/docker-compose"
  PATH=$bin:$PATH run -69 --separate-stderr "$deps" engine </dev/null
  assert_equal "$stderr" "tools/deps: missing: docker-compose; run as root:\
 $deps engine"
  # Nothing answers: then it takes what starts a daemon.
  complete
  printf '#!/bin/sh\nexit 7\n' >"$bin/curl"
  printf '#!/bin/sh\n[ "$4" != iptables ] && printf installed\n' \
    >"$bin/dpkg-query"
  printf '#!/bin/sh\n' >"$bin/dockerd"
  chmod +x "$bin/dockerd"
  PATH=$bin:$PATH run -69 --separate-stderr "$deps" engine </dev/null
  assert_equal "$stderr" "tools/deps: missing: iptables; run as root:\
 $deps engine"
}

@test "an engine that answers needs no daemon in the user's PATH" {
  deps=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)/tools/deps
  complete
  PATH=$bin:/usr/bin:/bin run -0 "$deps" run engine </dev/null
  assert_equal "$output" ""
}

@test "quickstart names a directory or a home that is none" {
  quickstart=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)/quickstart
  PATH=$bin:$PATH run -69 --separate-stderr "$quickstart" /nosuch </dev/null
  assert_equal "$stderr" "quickstart: /nosuch is not a directory"
  HOME=home PATH=$bin:$PATH run -69 --separate-stderr "$quickstart" </dev/null
  assert_equal "$stderr" "quickstart: HOME is not set to an absolute path"
}
