# SPDX-License-Identifier: MIT
# The policy alone, through jq: against a naive reader, and against the keys
# that the Compose specification knows.

load ../helper

setup() {
  bed_setup self
  top=$BATS_TEST_DIRNAME/../..
  policy=$(cat "$top/compose/policy.jq")
  cd "$BATS_TEST_TMPDIR" || return
}

oracle() {
  python3 "$BATS_TEST_DIRNAME/oracle.py" "$@"
}

judge_all() {
  jq -r "($policy judge)
    | if length == 0 then \"allowed\" else \"refused\" end"
}

@test "thousands of random merges: the verdict is the naive reader's" {
  local seed=${DRYDOCK_TEST_SEED-$RANDOM$RANDOM} count=1000 differs
  ! all_cases || count=10000
  echo "DRYDOCK_TEST_SEED=$seed"
  oracle merges "$seed" "$count" >merged &
  oracle verdicts "$seed" "$count" >naive
  wait $!
  split -n l/2 merged half.
  judge_all <half.ab >second &
  judge_all <half.aa >first
  wait $!
  cat first second >judged
  # About half are others than all before.
  [ "$(wc -l <merged)" -gt "$((count / 3))" ]
  assert_equal "$(wc -l <judged)" "$(wc -l <merged)"
  if ! differs=$(diff naive judged); then
    differs=$(head -n 1 <<<"$differs")
    sed -n "${differs%%[acd]*}p" merged | cut -c "1-4000" >&2
    fail "seed $seed: $differs"
  fi
  # Both verdicts are common, or the comparison says little.
  [ "$(grep -c allowed naive)" -gt "$((count / 50))" ]
  [ "$(grep -c refused naive)" -gt "$((count / 10))" ]
}

# What the cases of the matrix are written in.
matrix_words='
def model(f): .model |= f;
def agent(f): .model.services.agent |= f;
def egress(f): .model.services.egress |= f;
def db(f): .model.services.db |= f;
def fact(f): .facts |= f;
def home: "/tmp/bed/state/s/home";
def project: "/tmp/bed/home/pro$ject";
def source($path; f): .facts.sources[$path] |= f;
def touches($group; $how):
  source(project; .touches = [{$group, $how, place: "/place"}]);
def bind($source; $target): {type: "bind", $source, $target, bind: {}};
def below: project + "/below";
def carried(f):
  fact(.carried[below] = {real: below, kind: "directory", made: false,
    read_only: false, dev: "1", ino: "3"})
  | source(below; {exists: true, role: "below", real: below, kind: "directory",
    owner: "1000:1000", others_write: true, dev: "1", ino: "3", touches: []})
  | (.model, .reference) |=
    (.services.agent.volumes += [bind(below; below)]) | f;
def below_bind(f):
  agent(.volumes |= map(if .source == below then f else . end));
def listed($source; $target): agent(.volumes += [bind($source; $target)]);
def raw(overlay):
  {raw: ["DRYDOCK_HOME"], overlay: overlay};
'

# The matrix, a case a line: its words, and the input that it makes.
matrix_cases() {
  local rule op session authors program comma=''
  oracle bases >sessions
  {
    echo "$matrix_words"
    while read -r rule op session authors program; do
      [ "$authors" != . ] || continue
      printf '%s({case: "%s", authors: "%s", input: (.%s | %s)})' "$comma" \
        "$rule $op ${program//[\"\\]/\'}" "$authors" "$session" "$program"
      comma=$',\n'
    done < <(grep '^[a-z]' "$top/tests/data/policy-matrix")
  } >matrix.jq
  jq -c -f matrix.jq sessions
}

@test "each author alone refuses what the matrix says, and nothing else" {
  local author alone
  matrix_cases >cases
  [ "$(wc -l <cases)" -gt 300 ]
  while read -r author alone; do
    jq -r "(.input | if has(\"raw\") then [] else $policy $alone end) as \$found
      | select((\$found != []) != (.authors | contains(\"$author\")))
      | \"$author: \(.case): not \(.authors), but \(\$found)\"" cases
  done >wrong <<'END_OF_AUTHORS'
D [judge_difference]
I [judge_invariants]
S [judge_sources]
END_OF_AUTHORS
  jq -r "(.input | $policy judge) as \$found
    | (if .input | has(\"raw\") then \"R\" else \"[DIS]\" end) as \$refuses
    | select((\$found != []) != (.authors | test(\$refuses)))
    | \"\(.case): not \(.authors), but \(\$found)\"" cases >>wrong
  assert_equal "$(cat wrong)" ""
}

@test "the matrix has each operation of each rule" {
  local rule op
  drydock plan --rules --json | jq -r '.[].rule' |
    grep -vxE 'anchors|tags' | sort >rules
  # What the YAML reader finds is not in the policy.
  for op in set reset override reorder null; do
    sed -n "s/^\([a-z-]*\) $op .*/\1/p" "$top/tests/data/policy-matrix" |
      sort -u >have
    assert_equal "$(diff rules have)" ""
  done
}

@test "each rule that the policy names is in the table" {
  drydock plan --rules --json | jq -r '.[].rule' | sort >rules
  grep -oE '(violation|differs)\("[a-z-]+"|(rule: |\[|else )"(source|bind)-[a-z-]+"' \
    <<<"$policy" | grep -oE '"[a-z-]+"' | tr -d '"' | sort -u >named
  [ "$(wc -l <named)" -gt 25 ]
  assert_equal "$(comm -13 rules named)" ""
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
  oracle merges 1 100 | jq -c "select(($policy judge) == [])
    | select(.facts.mode == \"contained\")" | head -n 1 >base
  jq -c --rawfile keys "$top/tests/data/compose-keys" '. as $base
    | ["model", "services", "agent"] as $agent
    | {top: ["model"], service: $agent, volume: ($agent + ["volumes", 0]),
      bind: ($agent + ["volumes", 0, "bind"])} as $at
    | $keys | split("\n")[] | select(test("^[a-z]")) | split(" ") as [$where, $key]
    | $base | setpath($at[$where] + [$key]; {odd: 1})' base >odd
  [ "$(wc -l <odd)" -gt 110 ]
  assert_equal "$(jq -c "select(($policy judge) == []) | 1" odd)" ""
}

@test "the rules are what the manual tells of them" {
  local rule text page
  page=$(mandoc -T ascii -O width=1000 "$top/man/drydock.1" |
    sed 's/.\x08//g' | tr -s ' \n' ' ')
  while IFS=$'\t' read -r rule text; do
    assert_contains "$page" " $rule $text"
  done < <(drydock plan --rules --json | jq -r '.[] | [.rule, .text] | @tsv')
}
