# SPDX-License-Identifier: MIT
# drydock plan: what a session would be made of, and the verdict on it.

load ../helper
load stub

setup() {
  bed_setup self
  stub_setup
}

# An installation of the test's own, so that its overlays can be changed.
own_prefix() {
  own=$BATS_TEST_TMPDIR/prefix
  cp -a "$(cat "$BED/prefix")" "$own"
  compose=$own/share/drydock/compose
  PATH=$own/bin:$PATH
}

model() {
  jq -r ".model | $1" <<<"$output"
}

@test "the overlays are shown in order, each with its reason" {
  run -0 --separate-stderr drydock plan "$project"
  assert_equal "$(head -n 4 <<<"$output")" "overlays:
  base        always
  contained   mode contained (the default)
  hardening   always"
  assert_equal "$(tail -n 1 <<<"$output")" "verdict: allowed"
  assert_equal "$stderr" ""
}

@test "a caller that ignores SIGCHLD takes no answer away" {
  run -0 env --ignore-signal=CHLD drydock plan "$project"
  assert_contains "$output" "verdict: allowed"
}

@test "a bad line of the allowlist is refused with its number" {
  mkdir -p "$XDG_CONFIG_HOME/drydock"
  printf 'ok.example\n*.bad\n' >"$XDG_CONFIG_HOME/drydock/allowlist"
  run -78 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "drydock: $XDG_CONFIG_HOME/drydock/allowlist:2:"
  run -0 drydock plan --mode dood "$project"
}

@test "nothing is made and nothing is started" {
  # The client's configuration, of ours and empty, may be where the state is.
  there() {
    find "$BATS_TEST_TMPDIR" "$HOME" \( -path "$bin" -o \
      -path "$XDG_STATE_HOME/drydock/docker" \) -prune -o -print | sort
  }
  before=$(there)
  drydock plan "$project" >/dev/null
  assert_equal "$(there)" "$before"
  rm -r "$XDG_STATE_HOME/drydock"
  before=$(there)
  run -69 drydock plan "$project"
  assert_equal "$(there)" "$before"
  [ ! -e "$script/calls/compose-up.1" ]
}

@test "the JSON holds overlays, model, violations and verdict" {
  run -0 --separate-stderr drydock plan --json "$project"
  assert_equal "$(jq -c 'keys' <<<"$output")" \
    '["model","overlays","project","verdict","violations"]'
  assert_equal "$(jq -r '.verdict' <<<"$output")" allowed
  assert_equal "$(jq -c '.violations' <<<"$output")" '[]'
  assert_equal "$(model '.services.agent.network_mode')" none
  assert_equal "$(model '.services.agent.working_dir')" "$project"
  assert_equal "$(model '.services.agent.image')" \
    "sha256:$(printf 'a%.0s' {1..64})"
}

@test "dood differs by the network, the socket and its group" {
  run -0 --separate-stderr drydock plan --mode dood --json "$project"
  assert_equal "$(jq -c '[.overlays[].name]' <<<"$output")" \
    '["base","dood","hardening"]'
  assert_equal "$(model '.services | keys | join(" ")')" agent
  assert_equal "$(model '.services.agent.network_mode')" host
  assert_equal "$(model '.services.agent.volumes[]
    | select(.target == "/run/docker.sock") | .source')" "$DRYDOCK_ENGINE"
  assert_equal "$(model '.services.agent.group_add | join(" ")')" \
    "$(stat -c %g "$DRYDOCK_ENGINE")"
  assert_equal "$(model '.services.agent.cap_drop | join(" ")')" ALL
}

@test "a word that is no mode is contained, with a warning" {
  DRYDOCK_MODE=dod run -0 --separate-stderr drydock plan --json "$project"
  assert_equal "$(model '.services.agent.network_mode')" none
  assert_contains "$stderr" "dod"
}

@test "the settings are the limits" {
  run -0 --separate-stderr drydock plan --json --memory 1g --cpus 0.5 \
    --pids 99 --tmp-size 64m "$project"
  assert_equal "$(model '.services.agent
    | [.mem_limit, .memswap_limit, .cpus, .pids_limit] | @json')" \
    '["1073741824","1073741824",0.5,99]'
  assert_contains "$(model '.services.agent.tmpfs[0]')" "size=67108864"
  run -0 --separate-stderr drydock plan --json --cpus 0 "$project"
  assert_equal "$(model '.services.agent.cpus')" null
}

@test "a project's path is data, whatever it holds" {
  local name
  for name in 'a b' '$HOME' '${X}' '$$' "it's" '"q"' 'a,b' '-dash' '%s' '#x' \
    '{a}' 'ünï' '${DRYDOCK_HOME}' '*' '&a' '!x' '@y' ' '; do
    mkdir "$project/$name"
    run -0 --separate-stderr drydock plan --json "$project/$name"
    assert_equal "$(jq -r '(.model.services.agent
      | .working_dir, .volumes[1].source), .verdict' <<<"$output")" \
      "$project/$name"$'\n'"$project/$name"$'\n'allowed
  done
}

@test "a policy of the user's adds a violation: status 77, and the plan" {
  mkdir "$XDG_CONFIG_HOME/drydock/policy.d"
  echo '[{rule: "no-sundays", what: "it is \u001b[31mSunday"}]' \
    >"$XDG_CONFIG_HOME/drydock/policy.d/mine.jq"
  run -77 --separate-stderr drydock plan "$project"
  assert_equal "$(tail -n 1 <<<"$output")" "verdict: refused"
  assert_contains "$stderr" "drydock: refused by policy: no-sundays"
  assert_contains "$stderr" 'no-sundays: it is \033[31mSunday'
  refute_contains "$output$stderr" $'\033'
}

@test "a policy of the user's that is no policy: status 78, and its name" {
  local program
  mkdir "$XDG_CONFIG_HOME/drydock/policy.d"
  for program in '[' '{}' '[1]' 'empty' '[],[]'; do
    echo "$program" >"$XDG_CONFIG_HOME/drydock/policy.d/mine.jq"
    run -78 --separate-stderr drydock plan "$project"
    assert_equal "$output" ""
    assert_contains "$stderr" policy.d/mine.jq
  done
}

@test "without an image: status 69, and the command that makes one" {
  mv "$script/image-inspect.out" "$script/images"
  jq 'del(.[0])' "$script/images" >"$script/image-inspect.out"
  run -69 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" 'there is no agent image for this user: run "drydock build"'
  rm "$XDG_STATE_HOME/drydock/images.json"
  run -69 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "no agent image is recorded in $XDG_STATE_HOME/drydock/images.json: run \"drydock build\""
}

@test "a project's toolchains want an image of their own" {
  local record=$XDG_STATE_HOME/drydock/images.json
  project_conf <<<'toolchains = rust c'
  run -69 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "this user has no image with agent claude; \
toolchains c rust: run \"drydock build $project\""
  # One that was asked to have the same will do, also when it is older.
  jq '.images[0].recipe = "agent claude; toolchains c rust"' "$record" \
    >"$record.new"
  cat "$record.new" >"$record"
  run -0 --separate-stderr drydock plan --json "$project"
  assert_equal "$(model .services.agent.image)" "sha256:$(printf 'a%.0s' {1..64})"
  # It is no other project's.
  mkdir "$project/other"
  run -69 --separate-stderr drydock plan "$project/other"
  assert_contains "$stderr" 'there is no agent image for this user: run "drydock build"'
  project_conf <<<'toolchains = rust cobol'
  run -78 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" 'unknown toolchain "cobol" (there is: c, go, java,'
}

@test "a project's own limits and mode are the plan's" {
  project_conf <<<$'pids = 333\nmode = dood'
  run -0 --separate-stderr drydock plan --json "$project"
  assert_equal "$(model .services.agent.pids_limit)" 333
  assert_equal "$(model .services.agent.network_mode)" host
  run -0 --separate-stderr drydock plan --mode contained --json "$project"
  assert_equal "$(model .services.agent.network_mode)" none
}

@test "toolchains that the project shows are suggested, and not switched on" {
  run -0 --separate-stderr drydock plan "$project"
  refute_contains "$stderr" toolchains
  touch "$project/Cargo.toml" "$project/package.json"
  run -0 --separate-stderr drydock plan --json "$project"
  project_conf </dev/null
  assert_contains "$stderr" "type \"drydock config set \
--project toolchains 'node rust'\" in its directory"
  assert_equal "$(model .services.agent.image)" "sha256:$(printf 'a%.0s' {1..64})"
  jq '.images[0].recipe = "agent claude; toolchains node rust"' \
    "$XDG_STATE_HOME/drydock/images.json" >"$BATS_TEST_TMPDIR/new"
  cat "$BATS_TEST_TMPDIR/new" >"$XDG_STATE_HOME/drydock/images.json"
  project_conf <<<'toolchains = rust node'
  run -0 --separate-stderr drydock plan --json "$project"
  refute_contains "$stderr" toolchains
}

@test "an absent policy or profile refuses" {
  own_prefix
  rm "$compose/policy.jq"
  run -77 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" policy.jq
  assert_equal "$output" ""
}

# planted RULE SERVICE FILE EDIT: an overlay of drydock's that sed EDIT changes is
# refused by its digest, and by RULE; also when the policy has the new digest.
planted() {
  local old new
  old=$(sha256sum <"$compose/$3")
  cp "$compose/$3" "$compose/policy.jq" "$BATS_TEST_TMPDIR"
  sed -i "$4" "$compose/$3"
  new=$(sha256sum <"$compose/$3")
  [ "$old" != "$new" ] || fail "$4 changes nothing"
  run -77 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "layer: $3 is not the file that came with the policy"
  assert_contains "$stderr" "$1: $2: "
  sed -i "s/${old%% *}/${new%% *}/" "$compose/policy.jq"
  run -77 --separate-stderr drydock plan "$project"
  refute_contains "$stderr" "layer: "
  assert_contains "$stderr" "$1: $2: "
  cp "$BATS_TEST_TMPDIR/$3" "$BATS_TEST_TMPDIR/policy.jq" "$compose"
}

@test "an installed overlay that weakens is refused, by its digest and by a rule" {
  [ "$(id -u)" != 0 ] || skip "a verdict does not depend on who asks"
  own_prefix
  planted privileged agent hardening.yml 's/^    read_only: true/&\n    privileged: true/'
  planted network agent contained.yml 's/network_mode: none/network_mode: host/'
  planted network egress contained.yml 's/network_mode: bridge/network_mode: host/'
  planted read-only agent hardening.yml '/read_only: true/d'
  planted read-only egress contained.yml '/^    read_only: true/d'
  planted seccomp agent hardening.yml '/seccomp=/d'
  planted no-new-privileges agent hardening.yml '/no-new-privileges/d'
  planted capabilities agent hardening.yml '/cap_drop/d'
  planted capabilities egress contained.yml '/cap_drop/d'
  planted limits agent hardening.yml '/mem_limit/d'
  planted limits agent hardening.yml '/pids_limit/d'
  planted limits agent hardening.yml '/ulimits/d'
  planted limits egress contained.yml '/memswap_limit/d'
  planted logging agent hardening.yml '/logging/d'
  planted namespaces agent hardening.yml '/ipc: private/d'
  planted user agent base.yml 's/user: .*/user: "0:1"/'
  planted entrypoint agent contained.yml 's/drydock.holder, hold/bin\/sh, hold/'
  planted environment agent contained.yml 's/http_proxy: .*/http_proxy: http:\/\/10.0.0.1/'
  planted init agent base.yml '/init: true/d'
  planted bind-source agent base.yml 's/source: .*SOURCE_RUN.*/source: \//'
  planted bind-read-only egress contained.yml '/read_only: true/{/^    read/!d}'
}

@test "what an overlay takes away is not blamed on the one that had it" {
  own_prefix
  mkdir -p "$XDG_CONFIG_HOME/drydock/compose.d"
  echo 'services: { agent: { environment: !override { HOME: /x } } }' \
    >"$XDG_CONFIG_HOME/drydock/compose.d/mine.yml"
  run -77 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" '(overlay compose.d/mine.yml)'
  refute_contains "$stderr" '(overlay hardening)'
}

@test "another seccomp profile is refused" {
  own_prefix
  sed -i 's/"defaultAction": "SCMP_ACT_ERRNO"/"defaultAction": "SCMP_ACT_ALLOW"/' \
    "$compose/seccomp.json"
  run -77 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" \
    "seccomp-profile: seccomp.json is not the file that came with the policy"
}

@test "pass_env hands over no variable that loads code" {
  DRYDOCK_PASS_ENV='LANG NODE_OPTIONS' run -78 --separate-stderr \
    drydock plan "$project"
  assert_contains "$stderr" "pass_env: NODE_OPTIONS is reserved"
  DRYDOCK_PASS_ENV=CLAUDE_CODE_SIMPLE run -78 --separate-stderr \
    drydock shell "$project"
  assert_contains "$stderr" "pass_env: CLAUDE_CODE_SIMPLE is reserved"
}

@test "what a toolchain of the user's own reserves is no overlay's to set" {
  local config=$XDG_CONFIG_HOME/drydock
  umask 077
  mkdir -p "$config/toolchains" "$config/compose.d"
  echo 'services: { agent: { environment: { ZIG_LIB_DIR: /x } } }' \
    >"$config/compose.d/zig.yml"
  run -0 --separate-stderr drydock plan "$project"
  echo '{"reserved_env": ["ZIG_*"]}' >"$config/toolchains/zig.json"
  run -77 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "environment: "
}

@test "a toolchain's file that is wrong: status 78, its name and the key" {
  local file=$XDG_CONFIG_HOME/drydock/toolchains/zig.json text key
  umask 077
  mkdir -p "${file%/*}"
  while IFS='|' read -r key text; do
    echo "$text" >"$file"
    run -78 --separate-stderr drydock plan "$project"
    assert_contains "$stderr" "$file: $key"
  done <<'END'
packages|{"packages": ["zig; reboot"]}
hosts|{"hosts": ["10.0.1"]}
caches|{"caches": [{"path": "../x", "variable": "A", "source": "a(1)"}]}
shown_by|{"shown_by": ["../x"]}
reserved_env|{"reserved_env": ["*"]}
unknown key "host"|{"host": []}
END
}

@test "an agent's file that is wrong: status 78, its name and the key" {
  local file=$XDG_CONFIG_HOME/drydock/agents/aid.json text key
  umask 077
  mkdir -p "${file%/*}"
  while IFS='|' read -r key text; do
    echo "$text" >"$file"
    run -78 --separate-stderr drydock plan --agent aid "$project"
    assert_contains "$stderr" "$file: $key"
  done <<'END'
command|{"npm": ["aid@1.0.0"]}
npm|{"command": ["aid"], "npm": ["aid@latest"]}
npm|{"command": ["aid"], "npm": ["aid@1.0.0; reboot"]}
hosts|{"command": ["aid"], "hosts": ["10.0.1"]}
resume_args|{"command": ["aid"], "resume_args": "-c"}
env|{"command": ["aid"], "env": {"A B": ""}}
secrets|{"command": ["aid"], "secrets": ["A;id"]}
token|{"command": ["aid"], "token": {"variable": "A B", "advice": "x"}}
reserved_env|{"command": ["aid"], "reserved_env": ["*"]}
history_link|{"command": ["aid"], "history_link": "../x"}
sync|{"command": ["aid"], "sync": {"trees": [{"path": "../x"}]}}
limits|{"command": ["aid"], "limits": 1}
guardrails|{"command": ["aid"], "guardrails": {"dir": "/usr", "files": {"a": ""}}}
guardrails|{"command": ["aid"], "guardrails": {"dir": "/etc/a", "files": {"../a": ""}}}
unknown key "host"|{"command": ["aid"], "host": []}
END
}

@test "the plan says what the agent's guardrails cannot refuse" {
  local dir=$XDG_CONFIG_HOME/drydock/agents
  (umask 077 && mkdir -p "$dir" &&
    jq '.limits = ["its shell passes"]' \
      "$(cat "$BED/prefix")/share/drydock/agents/claude.json" \
      >"$dir/claude.json")
  run -0 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "agent claude: guardrails: its shell passes"
}

@test "another version of the agent wants an image of its own" {
  echo "agent_version = claude@2.1.200" >"$XDG_CONFIG_HOME/drydock/drydock.conf"
  run -69 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" 'with agent claude@2.1.200: run "drydock build"'
  DRYDOCK_AGENT_VERSION=2.1.197 run -0 --separate-stderr drydock plan "$project"
  run -64 --separate-stderr drydock plan --agent-version '2.1.0;id' "$project"
}

@test "only an agent that follows the newest version is updated" {
  run -64 --separate-stderr drydock build --update
  assert_contains "$stderr" "agent claude has the fixed version 2.1.197"
  assert_contains "$stderr" "drydock config set agent_version claude@latest"
  run -64 --separate-stderr drydock build --update --agent shell
  assert_contains "$stderr" "no npm package"
}

@test "an agent of the user's own wants an image of its own" {
  local file=$XDG_CONFIG_HOME/drydock/agents/aid.json
  umask 077
  mkdir -p "${file%/*}"
  echo '{"command": ["aid"]}' >"$file"
  run -69 --separate-stderr drydock plan --agent aid "$project"
  assert_contains "$stderr" 'with agent aid: run "drydock build --agent aid"'
  # The image of the default agent is nobody else's.
  run -0 --separate-stderr drydock plan "$project"
}

@test "data that others may write is refused" {
  own_prefix
  chmod 0666 "$compose/base.yml"
  run -77 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "base.yml can be written by others"
}

@test "a project among credentials is refused" {
  mkdir -p "$HOME/.ssh/keys"
  run -77 --separate-stderr drydock plan "$HOME/.ssh/keys"
  assert_contains "$stderr" "\"$HOME/.ssh/keys\" lies in \"$HOME/.ssh\",\
 a place of keys, credentials or programs"
}

@test "a protected place is named for what it is" {
  refused() {
    run -77 --separate-stderr drydock plan "$1"
    assert_contains "$stderr" "$2"
  }
  refused /etc 'source-system: agent: "/etc" is a system directory'
  refused /usr/bin 'source-program: agent: "/usr/bin" is a directory of PATH'
  refute_contains "$stderr" '"/usr/bin" is "'
  # A home of the tests may lie in /var.
  refused /var/lib '"/var/lib" holds "/var/lib/docker", the engine'
}

@test "the rules are listed, one a line" {
  run -0 --separate-stderr drydock plan --rules
  assert_contains "$output" "no-new-privileges"
  [ "${#lines[@]}" -gt 30 ]
  run -0 --separate-stderr drydock plan --rules --json
  jq -e 'all(.[]; has("rule") and has("text"))' <<<"$output"
}

@test "more than one directory is a wrong usage" {
  run -64 --separate-stderr drydock plan "$project" "$project"
  run -64 --separate-stderr drydock plan -- true
}

@test "what an overlay may not say is told with what may be done" {
  mkdir -p "$XDG_CONFIG_HOME/drydock/compose.d"
  echo 'volumes: { v: {} }' >"$XDG_CONFIG_HOME/drydock/compose.d/own.yml"
  run -77 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" 'overlays may not have a top-level "volumes" key'
  mkdir "$BATS_TEST_TMPDIR/data"
  echo "services: { agent: { volumes: ['$BATS_TEST_TMPDIR/data:/data'] } }" \
    >"$XDG_CONFIG_HOME/drydock/compose.d/own.yml"
  run -77 --separate-stderr drydock plan "$project"
  assert_contains "$stderr" "$BATS_TEST_TMPDIR/data may not be mounted yet: add\
 \"binds = $BATS_TEST_TMPDIR/data:ro\" to drydock.conf"
}
