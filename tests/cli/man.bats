# SPDX-License-Identifier: MIT
# The manual says what the tables say.

load ../helper

setup() {
  bed_setup self
  man_dir=$BATS_TEST_DIRNAME/../../man
}

# page NAME: its text in one line, each run of blanks as one.
page() {
  MANWIDTH=78 mandoc -T ascii "$man_dir/$1" | sed 's/.\x08//g' |
    tr -s ' \n' ' '
}

# in_page WORDS: in the file page, where hundreds of searches cost little.
in_page() {
  grep -qF -e "$1" "$BATS_TEST_TMPDIR/page" || fail "not in it: $1"
}

# after_in_page WORDS: what follows them there.
after_in_page() {
  in_page "$1" && words=$1 awk '{
    print substr($0, index($0, ENVIRON["words"]) + length(ENVIRON["words"]))
  }' "$BATS_TEST_TMPDIR/page"
}

@test "drydock(1) tells of every command and of every option of its own" {
  local name option own
  local -A setting=()
  page drydock.1 >"$BATS_TEST_TMPDIR/page"
  while read -r name; do
    setting[--$name]=1
  done < <(drydock --list-settings | cut -f 1 | tr _ -)
  [ -n "$(drydock --list-commands)" ]
  for name in $(drydock --list-commands); do
    in_page " drydock $name"
    own=$(drydock help "$name" | sed -nE 's/^  (-., )?(--[a-z-]+).*/\2/p')
    own=$'\n'$own$'\n'
    for option in $(drydock --list-options "$name"); do
      # Settings that the command does not show are in drydock.conf(5).
      if [ -n "${setting[$option]-}" ] &&
        { [ "$name" = config ] || [ "${own#*$'\n'"$option"$'\n'}" = "$own" ]; }
      then
        continue
      fi
      in_page "$option"
    done
  done
}

@test "drydock(1) tells of no option that is not there" {
  local option all
  all=$(for name in $(drydock --list-commands); do
    drydock --list-options "$name"
  done)
  for option in $(mandoc -T ascii "$man_dir/drydock.1" | sed 's/.\x08//g' |
    grep -oE -e '--[a-z][a-z-]+' | sort -u); do
    [ "$option" = --version ] || grep -qxF -e "$option" <<<"$all" ||
      fail "no such option: $option"
  done
}

@test "drydock(1) has the exit status table" {
  local status meaning text n=0
  text=$(page drydock.1)
  while IFS=$'\t' read -r status meaning; do
    assert_contains "$text" " $status $meaning"
    n=$((n + 1))
  done < <(drydock --list-statuses)
  [ "$n" -ge 12 ]
}

@test "drydock(1) states the oldest versions" {
  local program version text n=0
  text=$(page drydock.1)
  while IFS=$'\t' read -r program version; do
    assert_contains "$text" "$program $version"
    n=$((n + 1))
  done < <(drydock --list-floors)
  [ "$n" -ge 2 ]
}

@test "drydock.conf(5) tells of every setting and its default" {
  local name fallback values part n=0
  page drydock.conf.5 >"$BATS_TEST_TMPDIR/page"
  while IFS=$'\t' read -r name fallback values _; do
    part=$(after_in_page " $name = ${values,,} " | awk -F 'Default: ' '{ print $2 }')
    fallback=${fallback% }
    assert_equal "${part%%. *}" "${fallback:-empty}"
    n=$((n + 1))
  done < <(drydock --list-settings | sed 's/\t\t/\t \t/')
  [ "$n" -ge 15 ]
}

@test "drydock.conf(5) tells of every setting that a project's file may have" {
  local names last
  names=$(drydock --list-settings | grep $'\tproject$' | cut -f 1 | LC_ALL=C sort)
  last=${names##*$'\n'}
  names=${names%$'\n'*}
  assert_contains "$(page drydock.conf.5)" \
    " The file may have ${names//$'\n'/, } and $last. "
}

# list WORD: stdin's lines, sorted, as "a, b WORD c".
list() {
  local names
  names=$(LC_ALL=C sort)
  printf '%s' "${names%$'\n'*}" | sed -z 's/\n/, /g'
  printf ' %s %s' "$1" "${names##*$'\n'}"
}

@test "the manual tells of every bundle and every toolchain" {
  local data bundles toolchains
  data=$(<"$BED/prefix")/share/drydock
  bundles=$(cd "$data/bundles" && printf '@%s\n' * | list or)
  toolchains=$(cd "$data/toolchains" && printf '%s\n' *.json |
    sed 's/\.json$//' | list and)
  assert_contains "$(page drydock.conf.5)" \
    " package manager or forge: $bundles. "
  assert_contains "$(page drydock.conf.5)" " $toolchains are installed"
  assert_contains "$(page drydock-toolchain.5)" " $toolchains"
}

@test "mandoc finds nothing to warn of" {
  run -0 mandoc -T lint -W warning "$man_dir"/*.[1-9]
  assert_equal "$output" ""
}
