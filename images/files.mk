# SPDX-License-Identifier: MIT
# Installed and distributed, relative to the top.  Files that are executable
# go to image_scripts.
image_files = \
	images/agent/Dockerfile \
	images/agent/ssh_config \
	images/agent/ssh_known_hosts \
	images/egress/Dockerfile
image_scripts = \
	images/lib/add-certificates \
	images/lib/add-guardrails \
	images/lib/add-user \
	images/lib/apt-install \
	images/lib/npm-install
