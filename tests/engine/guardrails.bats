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

@test "real Claude Code is refused what is denied, in bypass mode, and that alone; nobody inside changes that" {
  cp "$BATS_TEST_DIRNAME/servers/api.py" "$BATS_TEST_DIRNAME/client.sh" \
    "$project"
  chmod 0755 "$project/api.py" "$project/client.sh"
  run --separate-stderr in_session sh -c '
    ./client.sh claude new "git push --force origin main" >denied &&
      ./client.sh claude new "echo one-of-a-kind | tee made" >allowed'
  [ "$status" -eq 0 ] ||
    fail "status $status" "$output" "$stderr" "$(cat "$project/denied")"
  assert_contains "$(cat "$project/denied")" "is_error=True"
  assert_contains "$(cat "$project/denied")" "denied"
  assert_contains "$(cat "$project/allowed")" "is_error=False"
  assert_equal "$(cat "$project/made")" one-of-a-kind
  assert_contains "$(cat "$project/allowed")" "wall=True"
  # The next session continues the conversation, and can do nothing to them.
  run -0 --separate-stderr in_session sh -c '
    ./client.sh claude resume "echo another" >resumed || echo "status $?"
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
  assert_contains "$(tail -n 1 "$project/resumed")" one-of-a-kind
  assert_equal "${lines[0]}" same
  assert_equal "${lines[1]}" "444 root"
  assert_equal "${lines[2]}" "555 root"
  assert_equal "${#lines[@]}" 3
}

@test "a policy file that is not the manifest's is named: no session" {
  local change first=$settings/10-credentials.json
  local changes=("printf ' ' >>$first")
  # test-policy-check.c has a missing file, one that the agent cannot read, and
  # one that it can write.
  ! all_cases ||
    changes+=("rm $first" "chmod 0400 $first" "chmod 0666 $first")
  for change in "${changes[@]}"; do
    with_image_changed "$change"
    run --separate-stderr in_session echo started
    [ "$status" -ne 0 ] || fail "$change: the session started"
    refute_contains "$output" started
    assert_contains "$stderr" "${first##*/}"
    finds_nothing docker ps -aq --filter label=io.drydock.session
    docker image rm -f "$changed_image" >/dev/null
  done
}
