#!/bin/sh
# SPDX-License-Identifier: MIT
# client.sh AGENT new|resume COMMAND: inside a session, has a scripted API ask
# the agent's client to run COMMAND in a new conversation or in the last one, and
# prints the result that the client sent to the API.
set -eu

rm -f api.log api.port
python3 api.py "$3" api.port api.log &
api=$!
while ! [ -s api.port ]; do
  kill -0 "$api"
  sleep 0.05
done
url=http://127.0.0.1:$(cat api.port)
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1

with_claude() {
  export ANTHROPIC_BASE_URL="$url" ANTHROPIC_API_KEY=dummy
  timeout 60 claude "$@" -p 'clean up' --permission-mode bypassPermissions \
    --dangerously-skip-permissions
}

with_codex() {
  export SCRIPTED_KEY=dummy
  timeout 60 codex exec -m scripted -c model_provider=scripted \
    -c "model_providers.scripted.name=\"scripted\"" \
    -c "model_providers.scripted.base_url=\"$url/v1\"" \
    -c "model_providers.scripted.wire_api=\"responses\"" \
    -c "model_providers.scripted.env_key=\"SCRIPTED_KEY\"" \
    --skip-git-repo-check --sandbox danger-full-access "$@" 'clean up' \
    </dev/null
}

with_gemini() {
  export GOOGLE_GEMINI_BASE_URL="$url" GEMINI_API_KEY=dummy
  mkdir -p ~/.gemini
  echo '{"security": {"auth": {"selectedType": "gemini-api-key"}}}' \
    >~/.gemini/settings.json
  timeout 60 gemini -m gemini-2.5-flash --skip-trust --yolo "$@" -p 'clean up' \
    </dev/null
}

with_opencode() {
  mkdir -p ~/.config/opencode
  cat >~/.config/opencode/opencode.json <<JSON
{"model": "scripted/one", "small_model": "scripted/one",
 "provider": {"scripted": {"npm": "@ai-sdk/openai-compatible",
   "options": {"baseURL": "$url/v1", "apiKey": "dummy"},
   "models": {"one": {"tool_call": true}}}}}
JSON
  timeout 120 opencode run --auto "$@" 'clean up' </dev/null
}

case $1-$2 in
*-new) with_"$1" ;;
claude-resume | opencode-resume) with_"$1" --continue ;;
codex-resume) with_codex resume --last ;;
gemini-resume) with_gemini --resume latest ;;
esac
kill "$api"
cat api.log
