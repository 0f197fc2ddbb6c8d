# SPDX-License-Identifier: MIT
# Installed and distributed, relative to the top: one JSON file an agent,
# and the name of the one that runs without a setting.
agent_files = \
	agents/claude.json \
	agents/codex.json \
	agents/default \
	agents/gemini.json \
	agents/opencode.json \
	agents/shell.json
