# SPDX-License-Identifier: MIT
# Installed and distributed, relative to the top: one JSON file an agent.
agent_files = \
	agents/claude.json \
	agents/codex.json \
	agents/gemini.json \
	agents/opencode.json \
	agents/shell.json
