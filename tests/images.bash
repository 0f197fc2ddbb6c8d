# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The records of a bed's images: BED/images/UID.json is what `drydock build`
# wrote for that user (engine/built.h), and BED/images/programs/ lists the
# programs of each image (engine/inimage.h).  Each test has a state directory
# of its own, which gets a copy.

# images_record UID STATE_HOME: puts the record there, for whoever runs this or,
# as root, for that user.
images_record() {
  local owner=()
  [ "$EUID" != 0 ] || owner=(--owner "$1" --group "$1")
  install --directory --mode 0700 "${owner[@]}" "$2/drydock" \
    "$2/drydock/programs"
  install --mode 0600 "${owner[@]}" "$BED/images/$1.json" \
    "$2/drydock/images.json"
  [ -d "$BED/images/programs" ] || return 0
  install --mode 0600 "${owner[@]}" "$BED/images/programs"/* \
    "$2/drydock/programs/"
}

# images_agent PREFIX NAME: standard input becomes the file of an agent there,
# with what the image of claude is made of.
images_agent() {
  local agents=$1/share/drydock/agents
  jq -s '(.[0] | {npm, guardrails}) + .[1]' "$agents/claude.json" - \
    >"$agents/$2.json"
}

# images_for_agent NAME: the agent's image that was built is one for this agent,
# too.
images_for_agent() {
  images_add_recipe "agent $1"
}

# images_for_toolchains NAME [AGENT]: the agent's image that was built is one with
# this toolchain, too, which has no packages.
images_for_toolchains() {
  images_add_recipe "agent ${2-claude}; toolchains $1"
}

# images_add_recipe RECIPE: the last image of an agent is recorded once more, as
# made so.  The record's images hold no objects.
images_add_recipe() {
  local file=$XDG_STATE_HOME/drydock/images.json text image
  text=$(<"$file")
  [[ $text =~ .*(\{[^{}]*\"kind\":\ *\"agent\"[^{}]*\}) ]] || return
  image=${BASH_REMATCH[1]}
  ! [[ $image =~ \"recipe\":\ *\"[^\"]*\", ]] ||
    image=${image/"${BASH_REMATCH[0]}"/}
  # Owner and mode stay.
  printf '%s,\n{"recipe":"%s",%s]}\n' "${text%]*}" "$1" "${image#?}" >"$file"
}

# images_of KIND UID: the id of the image that was built last.
images_of() {
  json_next "$(<"$BED/images/$2.json")" kind "$1" image
}

# json_next JSON KEY VALUE NEXT: of the last object whose KEY is the string VALUE,
# the string NEXT, which must be the next key.  Prints nothing if there is none.
# A start of jq costs 20 ms.
json_next() {
  local space='[[:space:]]*'
  ! [[ $1 =~ .*\"$2\":$space\"$3\",$space\"$4\":$space\"([^\"]*)\" ]] ||
    printf '%s\n' "${BASH_REMATCH[1]}"
}

# Every image of the engine, the newest first: an image before what it was built
# on.
images_all() {
  docker image ls -aq --no-trunc
}

# images_remove_new FILE: removes the images that FILE, an earlier answer of
# images_all, does not list; none if there was no answer.
images_remove_new() {
  [ -s "$1" ] || return 0
  images_all | grep -vxF -f "$1" |
    xargs -r docker image rm -f >/dev/null 2>&1 || true
}

# images_adopt FILE...: the records are of the engine that answers here, which
# has the same images.
images_adopt() {
  local file id root
  { read -r id && read -r root; } < <(
    docker info --format '{{.ID}}{{"\n"}}{{.DockerRootDir}}')
  for file; do
    jq --arg id "$id" --arg root "$root" \
      '.images[] |= (.engine_id = $id | .engine_data_root = $root)' \
      "$file" >"$file.new"
    # Owner and mode stay.
    cat "$file.new" >"$file"
    rm "$file.new"
  done
}
