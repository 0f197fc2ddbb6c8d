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

@test "ten thousand random merges: the verdict is the naive reader's" {
  local seed=${DRYDOCK_TEST_SEED-$RANDOM$RANDOM} count=10000 differs
  echo "DRYDOCK_TEST_SEED=$seed"
  oracle verdicts "$seed" "$count" >naive
  oracle merges "$seed" "$((count / 2))" | jq -r "($(cat "$policy"))
    | if length == 0 then \"allowed\" else \"refused\" end" >first &
  oracle merges "$seed" "$count" | tail -n "+$((count / 2 + 1))" |
    jq -r "($(cat "$policy"))
    | if length == 0 then \"allowed\" else \"refused\" end" >second
  wait $!
  cat first second >judged
  assert_equal "$(wc -l <judged)" "$count"
  if ! differs=$(diff naive judged); then
    differs=$(head -n 1 <<<"$differs")
    oracle merges "$seed" "$count" | sed -n "${differs%%[acd]*}p" |
      cut -c "1-4000" >&2
    fail "seed $seed: $differs"
  fi
  # Both verdicts are common, or the comparison says little.
  [ "$(grep -c allowed naive)" -gt 1000 ]
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
