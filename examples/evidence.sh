#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints what a session is made of, seen from inside: run it with
# drydock shell DIR -- sh -c "$(cat examples/evidence.sh)"
set -eu

writable() {
  if (: >"$1/.drydock-evidence") 2>/dev/null; then
    rm -f "$1/.drydock-evidence"
    echo "  writable   $1"
  else
    echo "  read-only  $1"
  fi
}

echo "user"
echo "  $(id)"
echo "capabilities and filters (all zero: none)"
grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | sed 's/^/  /'
echo "network devices"
sed -n '3,$s/^ *\([^:]*\):.*/  \1/p' /proc/net/dev
echo "the way out"
if [ -S /run/egress/egress.sock ]; then
  echo "  /run/egress/egress.sock, to the allowlist proxy of this session"
else
  echo "  no egress socket: this is no contained session"
fi
echo "mounts that hold files"
awk '{
  for (i = 7; $i != "-"; i++) ;
  if ($(i + 1) ~ /^(proc|sysfs|cgroup2?|devpts|mqueue)$/) next
  printf "  %-4s %-8s %s\n", substr($6, 1, 2), $(i + 1), $5
}' /proc/self/mountinfo
echo "where one may write"
for dir in / /etc /usr "$PWD" "$HOME" /tmp; do
  writable "$dir"
done
