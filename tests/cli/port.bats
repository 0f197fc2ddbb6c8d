# SPDX-License-Identifier: MIT
# What `port` refuses before it looks at a session.

load ../helper

setup() {
  bed_setup self
}

# refused STATUS WORDS ARG...
refused() {
  local status=$1 words=$2
  shift 2
  run "-$status" --separate-stderr as_who drydock port "$@"
  assert_equal "$output" ""
  assert_equal "$stderr" "drydock: $words"
}

@test "ports are parsed before anything is served" {
  local text='is not a port: PORT or PORT:HOSTPORT, from 1 to 65535'
  refused 64 "\"0\" $text" abcdefgh 3000 0
  refused 64 "\"65536\" $text" abcdefgh 65536
  refused 64 "\"127.0.0.1:80\" $text" abcdefgh 127.0.0.1:80
  refused 64 "\"x\" $text" abcdefgh --remove x
  refused 64 "port: --json prints the list and accepts no PORT" abcdefgh 80 --json
  refused 64 "port: --remove takes one port and a session" \
    abcdefgh 80 --remove 80
}
