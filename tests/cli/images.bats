# SPDX-License-Identifier: MIT
# Images: a query that fails is never "no image", and what may not be known keeps
# every image.  tests/stub is the engine.

load ../helper
load stub

setup() {
  bed_setup self
  stub_setup
  record=$XDG_STATE_HOME/drydock/images.json
}

# The stub has no path to remove an image: a request for it would be 404.
unneeded() {
  jq '.images += [.images[0] | .recipe = "agent other"
    | .image = ("sha256:" + "c" * 64)]' "$record" >"$record.new"
  cat "$record.new" >"$record"
  rm "$record.new"
  jq '. += [.[0] | .RepoTags = [] | .Id = ("sha256:" + "c" * 64)]' \
    "$script/image-inspect.out" >"$script/images"
  mv "$script/images" "$script/image-inspect.out"
}

@test "a query about an image that fails is no missing image" {
  local rc fault before
  before=$(cat "$record")
  for rc in 500 401 404; do
    echo "$rc" >"$script/image-inspect.rc"
    echo "words of the engine" >"$script/image-inspect.err"
    run -69 --separate-stderr drydock shell "$project" -- true </dev/null
    refute_contains "$stderr" "there is no"
    # On a terminal nothing is asked.
    run -69 script -qec "drydock shell '$project' -- true" /dev/null <<<y
    refute_contains "$output" "Build it now"
    run -69 --separate-stderr drydock build --list
    assert_equal "$output" ""
    run -69 --separate-stderr drydock gc --images
    assert_equal "$output" ""
    # What was removed before is told, and that something failed.
    run -69 --separate-stderr drydock gc --images --json
    assert_equal "$(jq -c '[.removed, .images, .failed]' <<<"$output")"       "[[],[],1]"
  done
  rm "$script/image-inspect.rc" "$script/image-inspect.err"
  for fault in "cut 20" die hang; do
    echo "$fault" >"$script/image-inspect.fault"
    DRYDOCK_ENGINE_TIMEOUT=1s run -69 --separate-stderr drydock shell \
      "$project" -- true </dev/null
    refute_contains "$stderr" "there is no"
    DRYDOCK_ENGINE_TIMEOUT=1s run -69 --separate-stderr drydock gc --images
  done
  assert_equal "$(cat "$record")" "$before"
  [ ! -e "$script/calls/build.1" ]
}

@test "a missing image is 69 and the command that builds it" {
  echo '[]' >"$script/image-inspect.out"
  run -69 --separate-stderr drydock shell "$project" -- true </dev/null
  assert_contains "$stderr" 'run "drydock build"'
  project_conf <<<'packages = make'
  run -69 --separate-stderr drydock shell "$project" -- true </dev/null
  assert_contains "$stderr" "packages make: run \"drydock build $project\""
}

@test "gc --images keeps what a session or a file may need" {
  unneeded
  run -0 --separate-stderr drydock gc --images --dry-run
  assert_equal "$output" "image cccccccccccc (agent other) would be removed" ||
    fail "$stderr"

  # A record of a session that cannot be read.
  mkdir -m 0700 "$XDG_STATE_HOME/drydock/sessions/aaaa1111"
  echo '{"version": 99}' >"$XDG_STATE_HOME/drydock/sessions/aaaa1111/session.json"
  run -75 --separate-stderr drydock gc --images --dry-run
  assert_contains "$stderr" "no image is removed: session aaaa1111: "
  run -0 --separate-stderr drydock build --list
  assert_contains "$stderr" "not all uses of the images are known: session aaaa1111"
  rm -r "$XDG_STATE_HOME/drydock/sessions/aaaa1111"

  # A project's settings that are wrong.
  project_conf <<<'packages = $(reboot)'
  run -75 --separate-stderr drydock gc --images --dry-run
  assert_contains "$stderr" "no image is removed: projects/"
  assert_contains "$stderr" "packages"
  rm "$own"

  # A damaged record.
  echo '{}' >"$record"
  run -65 --separate-stderr drydock gc --images
  assert_contains "$stderr" "images.json cannot be used"
  run -64 drydock gc --images --adopt
}

@test "gc --images and a launch that chooses images exclude each other" {
  local pid
  unneeded
  # The launch has chosen the agent's image, and has no record yet.
  echo "until $BATS_TEST_TMPDIR/go" >"$script/image-inspect.2.fault"
  drydock shell "$project" -- true </dev/null >/dev/null 2>&1 3>&- &
  pid=$!
  wait_for "the launch" test -e "$script/calls/image-inspect.2"
  run -75 --separate-stderr drydock gc --images --dry-run
  assert_contains "$stderr" "no image is removed: a session is being launched"
  touch "$BATS_TEST_TMPDIR/go"
  wait "$pid" || true
  run -0 --separate-stderr drydock gc --images --dry-run
  assert_contains "$output" "would be removed"
  DRYDOCK_LAUNCH_TIMEOUT=1s run -75 --separate-stderr \
    flock "$XDG_STATE_HOME/drydock/image-use.lock" \
    drydock shell "$project" -- true </dev/null
  assert_contains "$stderr" "drydock gc --images is running: waiting for it"
}

@test "hostile toolchain files are refused with file and key before a build" {
  local dir=$XDG_CONFIG_HOME/drydock/toolchains key text
  mkdir -m 0700 "$dir"
  echo 'toolchains = bad' >"$XDG_CONFIG_HOME/drydock/drydock.conf"
  while IFS='|' read -r key text; do
    echo "$text" >"$dir/bad.json"
    run -78 --separate-stderr drydock build
    assert_contains "$stderr" "$dir/bad.json"
    assert_contains "$stderr" "$key"
  done <<'EOF'
packages|{"packages": ["gcc; reboot"]}
packages|{"packages": ["$(reboot)"]}
packages|{"packages": ["--option"]}
packages|{"packages": {"../bookworm": ["gcc"]}}
hosts|{"hosts": ["not a host"]}
hosts|{"hosts": ["*"]}
caches|{"caches": [{"path": "../x", "variable": "X", "source": "y"}]}
caches|{"caches": [{"path": "x", "link": "../.ssh", "source": "y"}]}
shown_by|{"shown_by": ["../Makefile"]}
unknown key "pakages"|{"pakages": []}
EOF
  [ ! -e "$script/calls/build.1" ]
  [ ! -e "$script/calls/buildx.1" ]
}
