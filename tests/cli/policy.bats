# SPDX-License-Identifier: MIT
# The policy alone, through jq: against a naive reader, and against the keys
# that the Compose specification knows.

load ../helper

setup() {
  bed_setup self
  top=$BATS_TEST_DIRNAME/../..
  policy=$(cat "$BED/prefix")/share/drydock/compose/policy.jq
  cd "$BATS_TEST_TMPDIR" || return
}

oracle() {
  python3 "$BATS_TEST_DIRNAME/oracle.py" "$@"
}

judge_all() {
  jq -r "($(cat "$policy"))
    | if length == 0 then \"allowed\" else \"refused\" end"
}

@test "ten thousand random merges: the verdict is the naive reader's" {
  local seed=${DRYDOCK_TEST_SEED-$RANDOM$RANDOM} count=10000 differs
  echo "DRYDOCK_TEST_SEED=$seed"
  oracle merges "$seed" "$count" >merged &
  oracle verdicts "$seed" "$count" >naive
  wait $!
  split -n l/2 merged half.
  judge_all <half.ab >second &
  judge_all <half.aa >first
  wait $!
  cat first second >judged
  # Of 10,000 about half are others than all before.
  [ "$(wc -l <merged)" -gt "$((count / 3))" ]
  assert_equal "$(wc -l <judged)" "$(wc -l <merged)"
  if ! differs=$(diff naive judged); then
    differs=$(head -n 1 <<<"$differs")
    sed -n "${differs%%[acd]*}p" merged | cut -c "1-4000" >&2
    fail "seed $seed: $differs"
  fi
  # Both verdicts are common, or the comparison says little.
  [ "$(grep -c allowed naive)" -gt 200 ]
  [ "$(grep -c refused naive)" -gt 1000 ]
}

@test "each key of a service that the specification knows is in the table" {
  drydock plan --rules --json | jq -r '.[].keys // [] | .[]' | sort >known
  sed -n 's/^service //p' "$top/tests/data/compose-keys" | sort >specified
  [ "$(wc -l <specified)" -gt 80 ]
  assert_equal "$(comm -13 known specified)" ""
  # Each once: no two rules speak for one key.
  assert_equal "$(uniq -d known)" ""
}

# The schema stands in the program as it was compiled in.
@test "the machine's own Compose knows no key that the list lacks" {
  local compose
  compose=$(readlink -f "$(type -P docker-compose)")
  python3 - "$compose" >own <<'END_OF_PYTHON'
import json, sys
data = open(sys.argv[1], "rb").read()
at = data.find(b'"$schema"')
while at >= 0:
    start = data.rfind(b"{", 0, at)
    at = data.find(b'"$schema"', at + 1)
    try:
        text = data[start:start + 300000].decode("latin1")
        schema = json.JSONDecoder().raw_decode(text)[0]
        service = schema["definitions"]["service"]["properties"]
        top = schema["properties"]
    except (ValueError, KeyError):
        continue
    volume = next(v["properties"] for v in service["volumes"]["items"]["oneOf"]
                  if v["type"] == "object")
    for where, keys in (("top", top), ("service", service), ("volume", volume),
                        ("bind", volume["bind"]["properties"])):
        for key in keys:
            print(where, key)
END_OF_PYTHON
  [ -s own ] || skip "no schema is found in $compose"
  [ "$(wc -l <own)" -gt 90 ]
  grep -v '^#' "$top/tests/data/compose-keys" | sort >listed
  assert_equal "$(sort -u own | comm -23 - listed)" ""
}

@test "each key that drydock does not set is refused with any value" {
  local where key path
  oracle merges 1 100 | jq -c "select(($(cat "$policy")) == [])
    | select(.facts.mode == \"contained\")" | head -n 1 >base
  while read -r where key; do
    case $where in
      '#'*) continue ;;
      top) path='.model' ;;
      service) path='.model.services.agent' ;;
      volume) path='.model.services.agent.volumes[0]' ;;
      bind) path='.model.services.agent.volumes[0].bind' ;;
    esac
    jq -c --arg k "$key" "${path}[\$k] = {\"odd\": 1}" base
  done <"$top/tests/data/compose-keys" >odd
  [ "$(wc -l <odd)" -gt 110 ]
  assert_equal "$(jq -c "select(($(cat "$policy")) == []) | 1" odd)" ""
}

@test "the rules are what the manual tells of them" {
  local rule text page
  page=$(mandoc -T ascii -O width=1000 "$top/man/drydock.1" |
    sed 's/.\x08//g' | tr -s ' \n' ' ')
  while IFS=$'\t' read -r rule text; do
    assert_contains "$page" " $rule $text"
  done < <(drydock plan --rules --json | jq -r '.[] | [.rule, .text] | @tsv')
}
