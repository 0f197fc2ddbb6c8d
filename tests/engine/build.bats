# SPDX-License-Identifier: MIT
# drydock build: what the images hold, what they keep of the host (nothing), and
# what is refused.  The bed's own images make most steps come from the cache.

load ../helper

setup_file() {
  bed_guard && images_all >"$BATS_FILE_TMPDIR/before"
}

teardown_file() {
  bed_guard && images_remove_new "$BATS_FILE_TMPDIR/before"
}

setup() {
  bed_setup root
}

teardown() {
  [ -z "${tampered-}" ] || rm -rf "$tampered"
  [ -z "${named_dir-}" ] || rm -r "$named_dir"
  [ -z "${watches-}" ] || echo "$watches" >"$watches_limit"
}

# tamper SHELL-LINE: an installation whose guardrail step runs one more line;
# $dst is where the policy is.
tamper() {
  tampered=$BATS_TEST_TMPDIR/prefix
  cp -a "$(cat "$BED/prefix")" "$tampered"
  printf '%s\n' "$1" >>"$tampered/share/drydock/images/lib/add-guardrails"
}

# base_with LINE...: a base image with more in its Dockerfile.
base_with() {
  printf '%s\n' 'ARG BASE' 'FROM ${BASE}' "$@" |
    docker build -q --build-arg BASE="$(bootstrapped)" --tag drydock-test:base - \
      >/dev/null
}

# By a name of the test's own: BuildKit takes no id.
bootstrapped() {
  docker tag "$(images_of base 0)" drydock-test:bootstrapped
  echo drydock-test:bootstrapped
}

in_agent() {
  docker run --rm --network none --read-only --cap-drop ALL \
    --security-opt no-new-privileges --user "$BED_UID:$BED_UID" \
    --entrypoint sh "$(agent_image "$BED_UID")" -c "$1"
}

# counted: as docker, it writes down what it is asked, a line for each call.
counted() {
  mkdir "$BATS_TEST_TMPDIR/bin"
  printf '#!/bin/sh\necho "$@" >>"%s"\nexec %s "$@"\n' \
    "$BATS_TEST_TMPDIR/calls" "$(command -v docker)" \
    >"$BATS_TEST_TMPDIR/bin/docker"
  chmod 0755 "$BATS_TEST_TMPDIR/bin/docker"
  export DRYDOCK_DOCKER=$BATS_TEST_TMPDIR/bin/docker
}

@test "a build records what is on the PATH of the agent's image, and tries it once" {
  local name programs=$XDG_STATE_HOME/drydock/programs
  # A list without an image goes with the next build.
  rm "$programs"/*
  touch "$programs/$(printf 'e%.0s' {1..64})"
  counted
  run -0 --separate-stderr drydock build --bootstrap --json
  assert_equal "$(find "$programs" -type f -printf 'sha256:%f %m\n')" \
    "$(jq -r .agent.id <<<"$output") 600"
  for name in sh npx node python3 claude git; do
    grep -xF "$name" "$programs"/* >/dev/null
  done
  run -1 grep -xF foo-mcp "$programs"/*
  # The record has both images: that list alone needs a container.
  assert_equal "$(grep '^run ' "$BATS_TEST_TMPDIR/calls" |
    grep -c -e '--entrypoint /bin/sh ')" 1
  assert_equal "$(grep -c '^run ' "$BATS_TEST_TMPDIR/calls")" 1
  assert_equal "$(grep -c '^buildx version' "$BATS_TEST_TMPDIR/calls")" 1
}

@test "the same sources give the same images, whoever builds under what umask" {
  local root
  export TMPDIR=$BATS_TEST_TMPDIR/tmp
  mkdir -m 1777 "$TMPDIR"
  # The bed's images were built under 077 and, the ordinary user's, 027.
  run --separate-stderr bash -c \
    "umask 000 && exec drydock build --bootstrap --json"
  [ "$status" -eq 0 ] || fail "$stderr"
  root=$output
  assert_equal "$(jq -r 'keys | join(" ")' <<<"$root")" "agent egress"
  assert_equal "$(jq -r .agent.id <<<"$root")" "$(agent_image 0)"
  assert_equal "$(docker image inspect "$(jq -r .egress.id <<<"$root")" |
    jq -r '.[0].Config.Labels["io.drydock.context"]')" \
    "$(jq -r .egress.context <<<"$root")"
  # No temporary file is left.
  assert_equal "$(ls -A "$TMPDIR")" ""
  [ ! -e "$XDG_STATE_HOME/drydock/build" ]
  assert_equal "$(find /dev/shm -maxdepth 1 -name 'drydock-*')" ""

  chown -R "$BED_UID:$BED_UID" "$XDG_CONFIG_HOME" "$XDG_STATE_HOME" \
    "$XDG_RUNTIME_DIR"
  chmod 0711 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_SUITE_TMPDIR" \
    "$BATS_RUN_TMPDIR"
  images_record "$BED_UID" "$XDG_STATE_HOME"
  run --separate-stderr as_user bash -c \
    "umask 022 && exec drydock build --bootstrap --json"
  [ "$status" -eq 0 ] || fail "$stderr"
  assert_equal "$(jq -r .agent.id <<<"$output")" "$(agent_image "$BED_UID")"
  assert_equal "$(jq -c '[.egress.id, .[].context]' <<<"$output")" \
    "$(jq -c '[.egress.id, .[].context]' <<<"$root")"
}

@test "a tag that was moved changes nothing in what is built" {
  local first base
  base=$(images_of base 0)
  # Under the base's name something else, which inherits its label.
  printf '%s\n' 'FROM drydock-base:bookworm' 'RUN echo >/stranger' |
    docker build -q --tag drydock-base:bookworm - >/dev/null
  docker tag drydock-base:bookworm drydock-agent:uid-0
  run -0 --separate-stderr drydock build --bootstrap --json
  first=$output
  assert_equal "$(jq -r '.agent.id, .egress.id' <<<"$first")" \
    "$(agent_image 0; egress_image)"
  assert_equal "$(docker image inspect --format '{{.Id}}' \
    drydock-base:bookworm)" "$base"
  # What is built counts only when it is recorded, and then once.
  assert_equal "$(jq -c '[.images[].image] | [.[-2:], length - (unique | length)]' \
    "$XDG_STATE_HOME/drydock/images.json")" \
    "$(jq -c '[[.agent.id, .egress.id], 0]' <<<"$first")"
  # A name that is moved once drydock has looked what it leads to.
  mkdir "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/bin/docker" <<END
#!/bin/sh
[ "\$1" = build ] || exec "$(command -v docker)" "\$@"
printf '%s\n' "\$@" >>"$BATS_TEST_TMPDIR/arguments"
"$(command -v docker)" tag drydock-agent:uid-0 drydock-test:base
"$(command -v docker)" "\$@"
status=\$?
"$(command -v docker)" tag "$base" drydock-test:base
exit \$status
END
  chmod 0755 "$BATS_TEST_TMPDIR/bin/docker"
  docker tag "$base" drydock-test:base
  # A caller's TMPDIR may lie in a project: the new id is not read from there.
  TMPDIR=$project DRYDOCK_DOCKER=$BATS_TEST_TMPDIR/bin/docker \
    run -0 --separate-stderr drydock build --base drydock-test:base --json
  assert_equal "$output" "$first"
  grep -E "(^|=)$XDG_STATE_HOME/drydock/build/[^/]*/iid$" \
    "$BATS_TEST_TMPDIR/arguments"
  docker image rm drydock-test:base >/dev/null
  finds_nothing docker image ls -q 'drydock-base:build-*'
  # The build's own name for its base, which everybody can see on the engine:
  # moved when the steps have run, as they would on another base for a minute.
  cat >"$BATS_TEST_TMPDIR/bin/docker" <<END
#!/bin/sh
[ "\$1" = build ] || exec "$(command -v docker)" "\$@"
"$(command -v docker)" "\$@"
status=\$?
"$(command -v docker)" tag drydock-agent:uid-0 "\$("$(command -v docker)" image ls \
  --format "{{.Repository}}:{{.Tag}}" "drydock-base:build-*")"
exit \$status
END
  DRYDOCK_DOCKER=$BATS_TEST_TMPDIR/bin/docker \
    run -65 --separate-stderr drydock build --bootstrap
  assert_contains "$stderr" "was moved while it was built"
  assert_equal "$(jq -r '.images[-2].image' "$XDG_STATE_HOME/drydock/images.json")" \
    "$(jq -r .agent.id <<<"$first")"
  docker image rm "$(docker image ls --format '{{.Repository}}:{{.Tag}}' \
    'drydock-base:build-*')" >/dev/null
  docker tag "$base" drydock-base:bookworm
  docker tag "$(agent_image 0)" drydock-agent:uid-0
  docker image inspect "$(agent_image 0)" "$(egress_image)" >/dev/null
}

@test "a second user's image shares every layer but the last" {
  local a b
  a=$(docker image inspect "$(agent_image 0)" | jq -c '.[0].RootFS.Layers[:-1]')
  b=$(docker image inspect "$(agent_image "$BED_UID")" |
    jq -c '.[0].RootFS.Layers[:-1]')
  assert_equal "$a" "$b"
  [ "$(jq length <<<"$a")" -ge 4 ]
}

@test "the agent's image has its tools, and no way up" {
  run in_agent 'set -e
    for p in bash git curl jq less ps rg ssh python3 node npm claude; do
      command -v $p >/dev/null || echo "missing: $p"
    done
    for p in sudo su; do
      if [ -u "$(command -v $p || echo /none)" ]; then echo "set-id: $p"; fi
    done
    command -v sudo || true
    find / -xdev -perm /6000 2>/dev/null || true
    test -s /etc/ssl/certs/ca-certificates.crt
    node --version >/dev/null && npm --version >/dev/null
    claude --version
    id -un'
  [ "$status" -eq 0 ] || fail "$output"
  assert_equal "$output" "2.1.197 (Claude Code)
u$BED_UID"
}

@test "guardrails are root's, 0444 in 0555, and the manifest fits" {
  run in_agent 'cd /etc/claude-code &&
    sha256sum --check --quiet /usr/lib/drydock/policy.sha256 &&
    stat -c "%F %a %u:%g" . managed-settings.d managed-settings.d/* | sort -u &&
    stat -c "%a %u:%g" /usr/lib/drydock /usr/lib/drydock/*'
  [ "$status" -eq 0 ] || fail "$output"
  assert_equal "$output" "directory 555 0:0
regular file 444 0:0
555 0:0
555 0:0
444 0:0"
}

@test "the egress image has the holder and nothing else, for any user" {
  local made
  run docker run --rm --network none --read-only --cap-drop ALL \
    --security-opt no-new-privileges --user 54321:54321 \
    --entrypoint /usr/lib/drydock/holder "$(egress_image)" version
  assert_equal "$status $output" \
    "0 $("$(<"$BED/prefix")/libexec/drydock/holder" version)"
  made=$(docker create --network none --entrypoint /x "$(egress_image)")
  # Without what the engine itself makes.
  run -0 tar -tvf <(docker export "$made")
  docker rm "$made" >/dev/null
  output=$(awk '{ print $1, $2, $6 }' <<<"$output" |
    grep -vE ' (\.dockerenv|(dev|etc|proc|sys)/.*)$')
  assert_equal "$output" "drwxr-xr-x 0/0 usr/
drwxr-xr-x 0/0 usr/lib/
drwxr-xr-x 0/0 usr/lib/drydock/
-r-xr-xr-x 0/0 usr/lib/drydock/holder"
}

@test "images carry nothing that acts by itself" {
  local image
  for image in "$(agent_image 0)" "$(egress_image)"; do
    run jq -c '.[0].Config | [.Volumes, .Healthcheck, .OnBuild, .Entrypoint,
      .Cmd] | map(. // [] | length)' < <(docker image inspect "$image")
    assert_equal "$output" "[0,0,0,0,0]"
  done
}

# layers ID: the directories of an image's layers.
layers() {
  docker image inspect --format \
    '{{.GraphDriver.Data.UpperDir}}:{{.GraphDriver.Data.LowerDir}}' "$1" |
    tr ':' '\n'
}

# new_layers ID: those that the bed's image does not have.
new_layers() {
  layers "$1" | grep -vxF -f <(layers "$(agent_image 0)")
}

# named_home: $named is another name of the home.
named_home() {
  # Not below /tmp, which is the session's own.
  named_dir=$(mktemp -d /var/tmp/drydock-test.XXXXXX)
  chmod 0755 "$named_dir"
  named=$named_dir/named
  ln -s "$HOME" "$named"
}

# own_authority: one of the user's own is trusted.
own_authority() {
  local tls=$BATS_TEST_TMPDIR/tls
  mkdir "$tls"
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=ours \
    -keyout "$tls/key.pem" -out "$tls/cert.pem" 2>/dev/null
  # A key beside the certificate stays on the host.
  cat "$tls/key.pem" "$tls/cert.pem" >"$tls/both.pem"
  export DRYDOCK_CA_FILE=$tls/both.pem
}

@test "settings, authorities and a home's other name reach the build, and no secret an image" {
  local id image layers
  named_home
  own_authority
  cat >"$BATS_TEST_TMPDIR/npmrc" <<'EOF'
//unused.example/:_authToken=canary-of-npm
@unused:registry=https://canary-of-scope.example/
EOF
  # A package more makes all steps run.
  export DRYDOCK_PACKAGES=tree
  run --separate-stderr env HOME="$named" \
    NPM_CONFIG_USERCONFIG="$BATS_TEST_TMPDIR/npmrc" \
    NO_PROXY=canary-of-proxy.example drydock build --bootstrap --json
  [ "$status" -eq 0 ] || fail "$stderr"
  id=$(jq -r .agent.id <<<"$output")
  for image in $(jq -r '.[].id' <<<"$output"); do
    refute_contains "$(docker image inspect "$image")" canary-of
    refute_contains "$(docker image history --no-trunc "$image")" canary-of
  done
  # The layers that are not the bed's, which never saw these settings.
  new_layers "$id" >"$BATS_TEST_TMPDIR/layers"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/layers")" -ge 4 ]
  mapfile -t layers <"$BATS_TEST_TMPDIR/layers"
  run -1 grep -a -r canary-of "${layers[@]}"
  run docker run --rm --user 0 --network none --entrypoint sh "$id" -c \
    'ls -A /tmp /run /root/.npm /root/.npmrc /etc/npmrc 2>/dev/null; npm config get userconfig'
  refute_contains "$output" drydock-build

  run -0 --separate-stderr env HOME="$named" drydock shell "$project" -- \
    sh -c 'echo "$HOME"; readlink "$1"; touch "$1/made" && ls "$HOME/made"
      openssl verify -CApath /etc/ssl/certs \
        /usr/local/share/ca-certificates/drydock-*.crt | tail -1
      grep -rl "PRIVATE KEY" /usr/local/share /etc/ssl/certs || true
      tree --version' \
    sh "$named" </dev/null
  assert_equal "${lines[*]:0:3}" "$HOME $HOME $HOME/made"
  assert_contains "$output" ": OK"
  refute_contains "$output" ca-certificates.crt
  assert_contains "${lines[-1]}" "tree v"
  refute_contains "$stderr" 'run "drydock build"'
}

@test "a guardrail that does not hold fails the build and is named" {
  local before line want
  # An earlier test's image may have had the name.
  docker tag "$(agent_image 0)" drydock-agent:uid-0
  before=$(images_all | sort)
  while IFS='|' read -r line want; do
    # What else the check refuses is in test-policy-check.c and guardrails.bats.
    case ${DRYDOCK_TEST_CASES-}:$want in
      all:* | *:40-system.json) ;;
      *) continue ;;
    esac
    tamper "$line"
    run --separate-stderr "$tampered/bin/drydock" build --bootstrap
    [ "$status" -eq 65 ] || fail "status $status for $line" "$stderr"
    assert_contains "$stderr" "$want"
    rm -rf "$tampered"
  done <<'EOF'
f=$dst/managed-settings.d/40-system.json; chmod 0644 $f; echo >>$f; chmod 0444 $f|40-system.json
chmod 0400 $dst/managed-settings.d/10-credentials.json|10-credentials.json
chmod 0646 $dst/managed-settings.d/20-drydock.json|20-drydock.json
rm -f $dst/managed-settings.d/30-git.json|30-git.json
echo '{}' >$dst/managed-settings.d/99-more.json; chmod 0444 $dst/managed-settings.d/99-more.json|99-more.json
chown 1 $dst/managed-settings.d/10-credentials.json|10-credentials.json
chmod 0755 $dst/managed-settings.d|managed-settings.d
EOF
  # The image that passed before is still there under its name, alone.
  assert_equal "$(docker image inspect --format '{{.Id}}' drydock-agent:uid-0)" \
    "$(agent_image 0)"
  assert_equal "$(images_all | sort)" "$before"
}

@test "a step that fails ends with the builder's words and status 69" {
  tamper 'echo the-step-spoke; exit 3'
  run --separate-stderr "$tampered/bin/drydock" build --bootstrap
  assert_equal "$status" 69
  assert_contains "$stderr" "build the agent image"
  assert_contains "$stderr" the-step-spoke
}

@test "a base of the user's own is built on, with what is in it put aside" {
  local id
  [ -n "${DRYDOCK_TEST_TOOLCHAINS-}" ] ||
    skip "all packages are installed on that base once more, in check --full"
  base_with 'ENTRYPOINT ["/bin/false"]' 'CMD ["x"]' 'USER 1' 'WORKDIR /srv' \
    'SHELL ["/bin/false"]'
  run --separate-stderr drydock build --base drydock-test:base --json
  [ "$status" -eq 0 ] || fail "$stderr"
  for id in $(jq -r '.[].id' <<<"$output"); do
    assert_equal "$(docker image inspect "$id" |
      jq -c '.[0].Config | [.Entrypoint // [], .Cmd // []]')" "[[],[]]"
  done
  # Whether an image is up to date is no question of its base: no --base then.
  assert_equal "$(jq -r .egress.context <<<"$output")" \
    "$(drydock build --bootstrap --json 2>/dev/null | jq -r .egress.context)"
  docker image rm -f drydock-test:base >/dev/null
}

@test "a base image that acts by itself is refused before the build" {
  local row
  for row in "VOLUME /data|VOLUME" "HEALTHCHECK CMD true|HEALTHCHECK" \
    "ONBUILD RUN true|ONBUILD" "LABEL io.drydock.session=x|io.drydock.session"
  do
    base_with "${row%|*}"
    run --separate-stderr drydock build --base drydock-test:base
    assert_equal "$status" 77
    assert_contains "$stderr" "${row#*|}"
    refute_contains "$stderr" "RUN"
    docker image rm -f drydock-test:base >/dev/null
  done
}

@test "a base that cannot be had says so, and what to do" {
  run --separate-stderr drydock build --base registry.invalid/none:1
  assert_equal "$status" 69
  assert_contains "$stderr" "cannot pull registry.invalid/none:1; without a\
 registry run \"drydock build --bootstrap\""
}

@test "a CLI without buildx is refused by name" {
  local real
  real=$(command -v docker)
  mkdir "$BATS_TEST_TMPDIR/bin"
  printf '#!/bin/sh\n[ "$1" != buildx ] || { echo no such plugin >&2; exit 1; }\nexec %s "$@"\n' \
    "$real" >"$BATS_TEST_TMPDIR/bin/docker"
  chmod 0755 "$BATS_TEST_TMPDIR/bin/docker"
  DRYDOCK_DOCKER=$BATS_TEST_TMPDIR/bin/docker run --separate-stderr \
    drydock build --bootstrap
  assert_equal "$status" 69
  assert_contains "$stderr" docker-buildx
}

# A user of the test's own: what it takes from the kernel nobody else misses.
OTHER_UID=12399
watches_limit=/proc/sys/fs/epoll/max_user_watches

as_other() {
  HOME=$BATS_TEST_TMPDIR/other XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/other/config \
    XDG_STATE_HOME=$BATS_TEST_TMPDIR/other/state \
    XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/other/runtime \
    setpriv --reuid "$OTHER_UID" --regid "$OTHER_UID" \
    --groups "$(stat -c %g "${DOCKER_HOST#unix://}")" "$@"
}

@test "a session goes on when its user's epoll watches are used up" {
  local other=$BATS_TEST_TMPDIR/other pid socket
  watches=$(cat "$watches_limit")
  mkdir -p "$other"/{config,state/drydock,runtime,project}
  jq '.images |= map(select(.kind == "base"))' "$BED/images/0.json" \
    >"$other/state/drydock/images.json"
  chmod 0700 "$other/state/drydock"
  chmod 0600 "$other/state/drydock/images.json"
  chown -R "$OTHER_UID:$OTHER_UID" "$other"
  chmod 0711 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_SUITE_TMPDIR" \
    "$BATS_RUN_TMPDIR"
  run -0 --separate-stderr as_other drydock build --bootstrap
  mkfifo "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/hold"
  as_other drydock shell "$other/project" -- sh -c \
    'echo ready; read -r word; echo "got $word"; exit 7' \
    <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  pid=$!
  exec {session_in}>"$BATS_TEST_TMPDIR/in"
  wait_for "a session" grep -x ready "$BATS_TEST_TMPDIR/out"
  # Much more than all others together have.
  echo 20000 >"$watches_limit"
  as_other python3 -c '
import errno, os, select
kept = []
pipes = [os.dup(0) for _ in range(100)]
try:
    while True:
        kept.append(select.epoll())
        for fd in pipes:
            kept[-1].register(fd)
except OSError as e:
    print("full" if e.errno == errno.ENOSPC else e, flush=True)
os.read(0, 1)' <"$BATS_TEST_TMPDIR/hold" >"$BATS_TEST_TMPDIR/watches" 2>&1 3>&- &
  exec {hold}>"$BATS_TEST_TMPDIR/hold"
  wait_for "no watch left" test -s "$BATS_TEST_TMPDIR/watches"
  # Somebody who comes is let in, and takes nothing down.
  socket=$(echo "$other"/runtime/drydock/*/holder.sock)
  as_other python3 -c '
import socket, sys
for _ in range(5):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    assert s.recv(1)' "$socket" || echo failed >>"$BATS_TEST_TMPDIR/watches"
  echo "$watches" >"$watches_limit"
  exec {hold}>&-
  assert_equal "$(cat "$BATS_TEST_TMPDIR/watches")" full
  echo word >&"$session_in"
  exec {session_in}>&-
  local status=0
  wait "$pid" || status=$?
  assert_equal "$status" 7
  assert_contains "$(cat "$BATS_TEST_TMPDIR/out")" "got word"
}
