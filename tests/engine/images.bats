# SPDX-License-Identifier: MIT
# An image for each set of toolchains: projects that need the same share one,
# and all share what is large.  Toolchains here are a test's own and small; the
# tests build one set, whose steps the engine keeps.

load ../helper

# toolchain NAME TEXT: a file of the user's own.
toolchain() {
  local dir=$XDG_CONFIG_HOME/drydock/toolchains
  as_user mkdir -p -m 0700 "$dir"
  as_user sh -c 'umask 077 && cat >"$1"' sh "$dir/$1.json" <<<"$2"
}

setup_file() {
  bed_guard && images_all >"$BATS_FILE_TMPDIR/before"
}

teardown_file() {
  bed_guard && images_remove_new "$BATS_FILE_TMPDIR/before"
}

setup() {
  bed_setup user
  toolchain ed '{
    "packages": {"default": ["there-is-no-such-package"],
      "bookworm": ["ed"], "trixie": ["ed"]},
    "hosts": ["ed.example", "index.ed.example:8443"],
    "shown_by": ["Makefile"], "reserved_env": ["MAKEFLAGS"]}'
  toolchain bc '{"packages": ["bc"], "hosts": ["bc.example"]}'
  toolchain dc '{"packages": ["dc"], "hosts": ["dc.example"]}'
}

layers() {
  docker image inspect --format '{{json .RootFS.Layers}}' "$1"
}

image_of() {
  as_user drydock plan --json "$1" 2>/dev/null |
    jq -r .model.services.agent.image
}

@test "a project's toolchains are in its image, its hosts open, and nobody else's" {
  local other=$project-other same=$project-same mine plain conf said n before
  install --directory --owner "$BED_UID" --group "$BED_UID" "$other" "$same"
  project_conf <<<'toolchains = bc ed'
  project_conf "$same" <<<'toolchains = ed bc'
  run -69 --separate-stderr as_user drydock shell "$project" -- true </dev/null
  assert_contains "$stderr" "toolchains bc ed: run \"drydock build $project\""

  as_user drydock build --bootstrap "$project" >"$BATS_TEST_TMPDIR/build" 2>&1 ||
    fail "$(tail -n 20 "$BATS_TEST_TMPDIR/build")"
  open_session sh -c 'ed --version; command -v bc; command -v dc || echo none
    echo ready; cat >/dev/null'
  conf=$(as_user cat "$XDG_STATE_HOME"/drydock/sessions/*/sidecar/conf/hosts)
  close_session
  said=$(<"$session_lines")
  assert_contains "$said" "GNU ed"
  assert_equal "$(tail -n 3 <<<"$said")" "/usr/bin/bc
none
ready"
  # The proxy lets the toolchains' hosts through, and no other's.
  for n in bc.example ed.example index.ed.example; do
    assert_contains "$conf" "$n"
  done
  refute_contains "$conf" dc.example

  # The other project is as it was, with an image of its own.
  mine=$(image_of "$project")
  plain=$(image_of "$other")
  [ "$mine" != "$plain" ]
  assert_equal "$plain" "$(agent_image "$BED_UID")"

  # What a set of toolchains needs is built once, whatever the order; a part of it
  # is another set.
  assert_equal "$(image_of "$same")" "$mine"
  project_conf "$same" <<<'toolchains = ed'
  run -69 --separate-stderr as_user drydock plan "$same"
  assert_contains "$stderr" "toolchains ed: run \"drydock build $same\""

  # Base, Debian's packages, npm and the agent: layers that both have.
  before=$(layers "$plain" | jq 'length')
  n=$(jq -n --argjson a "$(layers "$plain")" --argjson b "$(layers "$mine")" \
    '[range($a | length) | select($a[.] != $b[.])][0]')
  [ "$n" -ge 3 ] || fail "$n of $before layers shared"

  # An image that a project had keeps its name.
  [ -n "$(docker image inspect --format '{{join .RepoTags " "}}' "$mine")" ]
  [ -n "$(docker image inspect --format '{{join .RepoTags " "}}' "$plain")" ]
}

@test "a toolchain of a name of drydock's own stands for it, with a note" {
  toolchain c '{"packages": ["bc"]}'
  project_conf <<<'toolchains = c'
  run -69 --separate-stderr as_user drydock shell "$project" -- true </dev/null
  assert_contains "$stderr" "toolchain c: $XDG_CONFIG_HOME/drydock/toolchains/c.json \
replaces the one that is installed"
}

@test "a package that no release has fails the build, and no image counts" {
  toolchain none '{"packages": ["there-is-no-such-package"]}'
  project_conf <<<'toolchains = none'
  run -69 --separate-stderr as_user drydock build --bootstrap "$project"
  assert_contains "$stderr" "build the agent image"
  # What the step said is printed once, and nothing of the other steps.
  assert_equal "$(sed -n '/docker build failed/,$p' <<<"$stderr")" \
    "drydock: build the agent image: docker build failed with status 1
  E: Unable to locate package there-is-no-such-package
  exit code: 100"
  assert_equal "$(grep '^drydock: agent: \[' <<<"$stderr" | sort | uniq -d)" ""
  run -69 --separate-stderr as_user drydock plan "$project"
  assert_contains "$stderr" "toolchains none: run"
}

# launch_says: what a launch says of its images.  It ends before it starts
# anything.
launch_says() {
  as_user ln -sfn nowhere "$XDG_CONFIG_HOME/drydock/home.d"
  run -78 --separate-stderr in_session true
  as_user rm "$XDG_CONFIG_HOME/drydock/home.d"
  assert_contains "$stderr" "home.d is a link that leads nowhere"
}

@test "a launch says what differs, and build remembers --bootstrap" {
  # The bed's record is as an older drydock wrote it: it has a base.
  as_user sh -c 'jq ".images |= map(del(.base, .parts, .seconds, .size))" \
    "$1" >"$1.new" && mv "$1.new" "$1"' sh "$XDG_STATE_HOME/drydock/images.json"
  DRYDOCK_BASE_IMAGE=registry.invalid/x:1 run -0 --separate-stderr in_session \
    true
  assert_contains "$stderr" "the installed files or the settings changed since\
 the images were built: run \"drydock build\""

  run -0 --separate-stderr as_user drydock build
  assert_contains "$stderr" "the base is made with --bootstrap, as the last time"
  launch_says
  refute_contains "$stderr" "changed since"
  DRYDOCK_BASE_IMAGE=registry.invalid/x:1 launch_says
  assert_equal "$(grep "changed since" <<<"$stderr")" "drydock: base_image\
 changed since the images were built: run \"drydock build\""
  # What the user has changed since counts more than what was done before.
  DRYDOCK_BASE_IMAGE=registry.invalid/x:1 run -69 --separate-stderr as_user \
    drydock build
  assert_contains "$stderr" "cannot pull registry.invalid/x:1"
  # So does a base of the project's own.
  project_conf <<<'base_image = registry.invalid/y:1'
  run -69 --separate-stderr as_user drydock build "$project"
  assert_contains "$stderr" "cannot pull registry.invalid/y:1"
  launch_says
  assert_contains "$stderr" "base_image changed since the images were built: run\
 \"drydock build $project\""
}

@test "a missing image is offered on a terminal, with size and time" {
  as_user drydock build >"$BATS_TEST_TMPDIR/build" 2>&1 ||
    fail "$(tail -n 20 "$BATS_TEST_TMPDIR/build")"
  project_conf <<<'toolchains = bc ed'
  run -130 as_user script -qec "drydock shell '$project' -- true" /dev/null <<<n
  [[ $output =~ "there is no image for agent claude; toolchains bc ed yet.  The last\
 agent image took "[0-9]+" "(s|min)" and has "[1-9][0-9]+" MB.  Build it now? [Y/n]" ]] ||
    fail "$output"
  run -0 as_user script -qec "drydock shell '$project' -- ed --version" \
    /dev/null <<<y
  assert_contains "$output" "GNU ed"
}

# build DIR: quietly, as the user.
build() {
  as_user drydock build --bootstrap "$@" >"$BATS_TEST_TMPDIR/build" 2>&1 ||
    fail "$(tail -n 20 "$BATS_TEST_TMPDIR/build")"
}

# Of the bed's own images the record keeps the base alone: gc must not find that
# they are not needed.
forget_bed() {
  as_user sh -c 'jq ".images |= map(select(.kind == \"base\"))" "$1" \
    >"$1.new" && mv "$1.new" "$1"' sh "$XDG_STATE_HOME/drydock/images.json"
}

exists() {
  docker image inspect --format '{{.Id}}' "$1" >/dev/null 2>&1
}

# needed_by ID: what "build --list" says, one per line.
needed_by() {
  as_user drydock build --list --json | jq -r --arg id "$1" \
    '.images[] | select(.id == $id) | .needed_by[]'
}

@test "build --list shows what needs an image, and what it shares" {
  local ed plain key
  project_conf <<<'toolchains = bc ed'
  build "$project"
  ed=$(image_of "$project")
  key=${own%/*}
  plain=$(jq -r '[.images[] | select(.recipe == "agent claude")][-1].image' \
    "$XDG_STATE_HOME/drydock/images.json")
  assert_equal "$(needed_by "$ed")" "projects/${key##*/}"
  assert_equal "$(needed_by "$plain")" drydock.conf
  # What both have is on the disk once.
  run -0 --separate-stderr as_user drydock build --list --json
  assert_equal "$(jq --arg id "$ed" '.images[] | select(.id == $id) |
    .size > 300000000 and .own_size < 50000000' <<<"$output")" true
  run -0 --separate-stderr as_user drydock build --list
  assert_contains "$output" "agent claude; toolchains bc ed for $BED/user, needed by\
 projects/${key##*/}"
  assert_contains "$output" "proxy, needed by drydock.conf"
  run -64 as_user drydock build --list --pull
}

@test "gc --images removes what nothing needs, and nothing else" {
  local ed all container pid
  forget_bed
  project_conf <<<'toolchains = bc ed'
  build "$project"
  ed=$(image_of "$project")
  all=$(images_all | sort)
  run -0 --separate-stderr as_user drydock gc --images
  assert_equal "$output" ""
  assert_equal "$(images_all | sort)" "$all"

  # A session uses it, which the project's settings do not need any more.
  open_session sh -c 'echo ready; cat >/dev/null'
  project_conf </dev/null
  run -0 --separate-stderr as_user drydock gc --images
  assert_equal "$output" ""
  assert_equal "$(needed_by "$ed" | cut -d ' ' -f 1)" session
  exists "$ed"
  close_session

  # A build runs: it holds images that no record has yet.
  mkdir "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/bin/docker" <<END
#!/bin/sh
[ "\$1" != build ] || { echo >"$project/started"
  until [ -e "$project/go" ]; do sleep 0.1; done; }
exec "$(command -v docker)" "\$@"
END
  chmod 0755 "$BATS_TEST_TMPDIR/bin" "$BATS_TEST_TMPDIR/bin/docker"
  DRYDOCK_DOCKER=$BATS_TEST_TMPDIR/bin/docker as_user drydock build \
    --bootstrap >"$BATS_TEST_TMPDIR/build" 2>&1 3>&- &
  pid=$!
  wait_for "build" test -e "$project/started"
  run -75 --separate-stderr as_user drydock gc --images
  assert_contains "$stderr" "no image is removed: another drydock build holds"
  echo >"$project/go"
  wait "$pid"
  exists "$ed"

  # Containers and names of somebody else's.
  container=$(docker create "$ed" true)
  run -0 --separate-stderr as_user drydock gc --images
  assert_contains "$stderr" "stays: "
  assert_equal "$output" ""
  docker rm "$container" >/dev/null
  docker tag "$ed" stranger:1
  run -0 --separate-stderr as_user drydock gc --images
  assert_contains "$stderr" "stays: it has several names"
  docker rmi stranger:1 >/dev/null

  # An image with our labels and our kind of name, which no build recorded.
  docker tag "$ed" drydock-test:ed
  printf '%s\n' 'FROM drydock-test:ed' 'LABEL x=y' |
    docker build -q --tag drydock-agent:uid-"$BED_UID"-stranger - >/dev/null
  docker rmi drydock-test:ed >/dev/null

  # A settings file that cannot be read may need anything.
  project_conf <<<'toolchains = there-is-none'
  run -75 --separate-stderr as_user drydock gc --images
  assert_contains "$stderr" "no image is removed: projects/"
  project_conf </dev/null

  run -0 --separate-stderr as_user drydock gc --images --dry-run
  assert_equal "$output" "image ${ed:7:12} (agent claude; toolchains bc ed) would\
 be removed"
  exists "$ed"
  all=$(images_all | grep -vxF "$ed" | sort)
  run -0 --separate-stderr as_user drydock gc --images --json
  assert_equal "$(jq -c .images <<<"$output")" "[\"$ed\"]"
  assert_equal "$(images_all | sort)" "$all"
  exists "drydock-agent:uid-$BED_UID-stranger"
  assert_equal "$(jq --arg id "$ed" '[.images[] | select(.image == $id)] |
    length' "$XDG_STATE_HOME/drydock/images.json")" 0
  run -0 --separate-stderr in_session true
}

@test "an image that loses its name to a newer one is still named" {
  local mine name
  forget_bed
  # Not the bed's own image, which may have other names as well.
  project_conf <<<'toolchains = bc ed'
  build "$project"
  mine=$(image_of "$project")
  name=$(docker image inspect --format '{{join .RepoTags " "}}' "$mine")
  # The same user with another home.
  as_user mkdir -p "$BED/user/other"
  HOME=$BED/user/other run -0 --separate-stderr setpriv --reuid "$BED_UID" \
    --regid "$BED_UID" --clear-groups drydock build --bootstrap "$project"
  assert_equal "$(docker image inspect --format '{{join .RepoTags " "}}' \
    "$mine")" "$name-old-${mine:7:12}"
  build "$project"
  assert_equal "$(docker image inspect --format '{{join .RepoTags " "}}' \
    "$mine")" "$name"
  assert_equal "$(docker image ls -q --filter dangling=true \
    --filter label=io.drydock.image --filter "since=$mine")" ""
  run -0 --separate-stderr as_user drydock gc --images
  assert_contains "$output" "(agent claude; toolchains bc ed) removed"
  exists "$mine"
}
