# SPDX-License-Identifier: MIT
# What is said of a session's end, at once and days later.

load ../helper
load counter

setup() {
  bed_setup user
  counter_setup
}

# end_counter WORD: the agent ends by itself, with nobody there.
end_counter() {
  as_who sh -c "echo $1 >'$home/end.new' && mv '$home/end.new' '$home/end'"
  wait_for "the end" test_state ended
}

@test "a detached agent that ended is shown after the next launch" {
  local kept
  open_counter
  # A screen of the agent's own making, and one that is no file.
  as_who drydock exec "$id" -- sh -c 'printf "24 80\n\033]52;c;aGk=\007\033[31mred\302\205\\\\\n" >/run/drydock/screen; rm -r /run/drydock/limits; mkfifo /run/drydock/limits' || true
  end_counter 3
  # Another project's launch collects it.
  in_session true 2>/dev/null
  kept=$XDG_STATE_HOME/drydock/ended/$id.json
  assert_equal "$(stat -c %a "$kept")" 600
  [ ! -e "$XDG_STATE_HOME/drydock/sessions/$id" ]
  run -0 as_who drydock list
  assert_contains "$output" "$id  ended, status 3 "
  run -3 --separate-stderr as_who drydock attach "$id"
  assert_equal "${lines[0]}" "agent first ${lines[0]##* }"
  # No terminal obeys it.
  refute_contains "$output" $'\033'
  assert_contains "$stderr" "session $id has ended with status 3 at 2"
  run -0 --separate-stderr as_who drydock logs "${id:0:6}"
  assert_contains "$output" "agent first "
  assert_contains "$stderr" "has ended with status 3 at 2"
  # One-off sessions are kept as well, and listed with the rest.
  run -0 as_who drydock list --all --json
  assert_equal "$(jq -c '[.[] | select(.state == "ended").status]' <<<"$output")" \
    '[0,3]'
  DRYDOCK_KEEP_ENDED=0s as_who drydock gc
  assert_equal "$(ls "$XDG_STATE_HOME/drydock/ended")" ""
  run -0 as_who drydock list
  assert_equal "$output" ""
}

@test "a command that is killed for memory is told so, and the limits that it met" {
  DRYDOCK_MEMORY=96m run -137 --separate-stderr in_session \
    python3 -c 'b = bytearray(400 << 20); print(len(b))'
  assert_equal "$output" ""
  assert_contains "$stderr" \
    "drydock: killed: out of memory (limit 96m, setting memory)"
  # Each limit that a session met is told at its end.
  cat >"$project/limits" <<'END'
python3 -c 'b = bytearray(400 << 20)'
dd if=/dev/zero of=/tmp/x bs=64k
python3 -c '
import os, time
for i in range(100):
    if os.fork() == 0:
        time.sleep(60)'
END
  chmod 0644 "$project/limits"
  DRYDOCK_MEMORY=96m DRYDOCK_PIDS=64 DRYDOCK_TMP_SIZE=2m \
    run -1 --separate-stderr in_session sh limits
  assert_contains "$stderr" "drydock: a process was killed: out of memory (limit\
 96m, setting memory); a process could not be started: too many processes and\
 threads (limit 64, setting pids); /tmp is full (limit 2m, setting tmp_size)"
}

@test "refused hosts are told once at the end, with what allows them" {
  run -0 --separate-stderr in_session sh -c 'for host in Registry.example \
    registry.example a.example:8443; do
      curl --silent --max-time 10 "https://$host" || true; done
    curl --silent http://plain.example/secret >/dev/null || true
    curl --silent https://192.0.2.7 || true'
  assert_contains "$stderr" "drydock: the proxy refused registry.example (2\
 times), a.example:8443, http://plain.example, 192.0.2.7; to allow what you\
 trust, type in $project: drydock allow registry.example a.example:8443\
 http://plain.example 192.0.2.7"
  refute_contains "$stderr" secret
  refute_contains "$stderr" drydock.invalid
  assert_equal "$(grep -c "the proxy refused" <<<"$stderr")" 1
  # Nor a limit, since it met none.
  refute_contains "$stderr" setting
  # The line can be typed; egress.bats has what it does.
  cd "$project"
  run -0 as_who drydock allow registry.example a.example:8443 \
    http://plain.example 192.0.2.7
  assert_equal "$(cat "$XDG_CONFIG_HOME"/drydock/projects/*/allowlist)" \
    "registry.example
a.example:8443
http://plain.example
192.0.2.7"
}
