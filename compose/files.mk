# SPDX-License-Identifier: MIT
# Installed and distributed, relative to the top: overlays and policy.
compose_files =
