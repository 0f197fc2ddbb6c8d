#!/bin/sh
# SPDX-License-Identifier: MIT
# claude.sh COMMAND: inside a session, has a scripted API ask Claude Code to
# run COMMAND, and prints what Claude Code answered it.
set -eu

rm -f api.log api.port
python3 api.py "$1" api.port api.log &
api=$!
while ! [ -s api.port ]; do
  kill -0 "$api"
  sleep 0.05
done
ANTHROPIC_BASE_URL="http://127.0.0.1:$(cat api.port)"
export ANTHROPIC_BASE_URL ANTHROPIC_API_KEY=dummy
export CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1
export DISABLE_TELEMETRY=1 NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
timeout 60 claude -p 'clean up' --permission-mode bypassPermissions \
  --dangerously-skip-permissions
kill "$api"
cat api.log
