#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs inside a session and prints NAME=VALUE lines about it.

yes_no() {
  if "$@" >/dev/null 2>&1; then
    echo yes
  else
    echo no
  fi
}

writable() {
  yes_no sh -c ': >"$1/.probe" && rm "$1/.probe"' sh "$1"
}

runs_in_tmp() {
  cp /usr/bin/env /tmp/probe && /tmp/probe true
}

missing() {
  for tool in bash claude curl git jq less node npm ps python3 rg ssh; do
    command -v "$tool" >/dev/null || printf '%s ' "$tool"
  done
}

echo "interfaces=$(sed -n '3,$s/^ *\([^:]*\):.*/\1/p' /proc/net/dev |
  tr '\n' ' ')"
sed -nE 's/^(Cap[A-Za-z]*|NoNewPrivs|Seccomp):[[:space:]]*/\1=/p' \
  /proc/self/status
echo "ids=$(id -u) $(id -g) $(id -G)"
echo "pwd=$PWD"
echo "home=$HOME"
echo "write_root=$(writable /)"
echo "write_etc=$(writable /etc)"
echo "write_usr=$(writable /usr/local/bin)"
echo "write_var=$(writable /var)"
echo "write_project=$(writable .)"
echo "write_home=$(writable "$HOME")"
echo "write_tmp=$(writable /tmp)"
echo "tmp_exec=$(yes_no runs_in_tmp)"
echo "setid=$(find / -xdev -perm /6000 ! -type d 2>/dev/null | tr '\n' ' ')"
echo "sudo=$(yes_no command -v sudo)"
echo "missing_tools=$(missing)"
echo "vsock=$(yes_no python3 -c 'import socket; socket.socket(40, 1)')"
echo "io_uring=$(yes_no python3 -c '
import ctypes, sys
buf = ctypes.create_string_buffer(256)
sys.exit(ctypes.CDLL(None).syscall(425, 1, buf) == -1)')"
echo "userns=$(yes_no unshare -U true)"
