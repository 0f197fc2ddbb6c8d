# SPDX-License-Identifier: MIT
# The guardrail files: real Claude Code obeys them, nobody inside changes them,
# and a session does not start with broken ones.

load ../helper

settings=/etc/claude-code/managed-settings.d

setup() {
  bed_setup user
}

# with_image_changed SHELL-COMMAND: the agent image that is recorded for the user
# becomes one in which root has run the command.
with_image_changed() {
  local container
  container=$(docker run -d --user 0 --network none --entrypoint sh \
    "$(agent_image "$BED_UID")" -c "$1")
  docker wait "$container" >/dev/null
  changed_image=$(docker commit --change 'USER '"$BED_UID:$BED_UID" \
    --change "$(original_entrypoint)" "$container")
  docker rm "$container" >/dev/null
  local record=$XDG_STATE_HOME/drydock/images.json
  jq --arg image "$changed_image" \
    '(.images[] | select(.kind == "agent")).image = $image' "$record" \
    >"$record.new"
  # Owner and mode stay.
  cat "$record.new" >"$record"
  rm "$record.new"
}

original_entrypoint() {
  docker image inspect "$(agent_image "$BED_UID")" |
    jq -r '.[0].Config.Entrypoint // [] | "ENTRYPOINT \(tojson)"'
}

teardown() {
  if [ -n "${changed_image-}" ]; then
    docker image rm -f "$changed_image" >/dev/null
  fi
}

first_policy_file() {
  docker run --rm --network none --entrypoint sh "$(agent_image "$BED_UID")" \
    -c "ls $settings/*.json | head -n 1"
}

@test "real Claude Code is refused a denied command, also in bypass mode" {
  cp "$BATS_TEST_DIRNAME/servers/api.py" "$BATS_TEST_DIRNAME/client.sh" \
    "$project"
  chmod 0755 "$project/api.py" "$project/client.sh"
  echo keep >"$project/mark"
  run --separate-stderr in_session ./client.sh claude new "git push --force origin main"
  [ "$status" -eq 0 ] || fail "status $status" "$output" "$stderr"
  assert_contains "$output" "is_error=True"
  assert_contains "$output" "denied"
}

@test "real Claude Code may run what is not denied" {
  cp "$BATS_TEST_DIRNAME/servers/api.py" "$BATS_TEST_DIRNAME/client.sh" \
    "$project"
  chmod 0755 "$project/api.py" "$project/client.sh"
  run --separate-stderr in_session ./client.sh claude new "echo made >made"
  [ "$status" -eq 0 ] || fail "status $status" "$output" "$stderr"
  assert_contains "$output" "is_error=False"
  assert_equal "$(cat "$project/made")" made
}

@test "the guardrails cannot be changed, shadowed or unmounted from inside" {
  run --separate-stderr in_session sh -c '
    dir=$1
    sum() { cat "$dir"/*.json | sha256sum; }
    before=$(sum)
    {
      for f in "$dir"/*.json; do
        echo x >>"$f"; chmod 0644 "$f"; rm -f "$f"; mv "$f" "$f.off"
        ln -sf /dev/null "$f"; true >"$dir/zz.json"
      done
      mv "$dir" "$dir.off"; mv /etc/claude-code /etc/claude-code.off
      mount -t tmpfs none "$dir"; mount --bind /tmp "$dir"; umount "$dir"
      unshare -Urm sh -c "mount -t tmpfs none $dir && ls $dir && echo SHADOWED"
      chmod u+w "$dir" && echo CHANGED
    } 2>/dev/null
    [ "$before" = "$(sum)" ] && echo same
    find /etc/claude-code ! -user root -o ! -type l -perm /222
    stat -c "%a %U" "$dir"/*.json "$dir" | sort -u' sh "$settings"
  assert_equal "${lines[0]}" same
  assert_equal "${lines[1]}" "444 root"
  assert_equal "${lines[2]}" "555 root"
  assert_equal "${#lines[@]}" 3
}

# refuses WHAT SHELL-COMMAND: no session with such an image; the file is named.
refuses() {
  local file
  file=$(first_policy_file)
  with_image_changed "$2"
  run --separate-stderr in_session echo started
  [ "$status" -ne 0 ] || fail "$1: the session started" || return
  refute_contains "$output" started
  assert_contains "$stderr" "${file##*/}"
  run docker ps -aq --filter label=io.drydock.session
  assert_equal "$output" ""
}

@test "a policy file that differs by one byte: no session" {
  refuses changed "f=\$(ls $settings/*.json | head -n 1)
    printf ' ' >>\"\$f\""
}

@test "a policy file that is missing: no session" {
  refuses missing "rm \$(ls $settings/*.json | head -n 1)"
}

@test "a policy file that the agent could not read: no session" {
  refuses unreadable "chmod 0400 \$(ls $settings/*.json | head -n 1)"
}

@test "a policy file that the agent could write: no session" {
  refuses writable "chmod 0666 \$(ls $settings/*.json | head -n 1)"
}
