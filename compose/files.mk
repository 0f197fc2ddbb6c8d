# SPDX-License-Identifier: MIT
# Installed and distributed, relative to the top: overlays and policy.
compose_files = \
	compose/base.yml \
	compose/cache.yml \
	compose/contained.yml \
	compose/dood.yml \
	compose/group.yml \
	compose/hardening.yml \
	compose/lease.yml \
	compose/mount.yml \
	compose/policy.jq \
	compose/seccomp.json \
	compose/service.yml \
	compose/watched.json
