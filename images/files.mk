# SPDX-License-Identifier: MIT
# Installed and distributed, relative to the top.  Files that are executable
# go to image_scripts.
image_files = \
	images/agent/Dockerfile \
	images/agent/policy/managed-settings.d/10-credentials.json \
	images/agent/policy/managed-settings.d/20-drydock.json \
	images/agent/policy/managed-settings.d/30-git.json \
	images/agent/policy/managed-settings.d/40-system.json \
	images/egress/Dockerfile
image_scripts = \
	images/lib/add-certificates \
	images/lib/add-guardrails \
	images/lib/add-sidecar \
	images/lib/add-user \
	images/lib/apt-install \
	images/lib/npm-install
