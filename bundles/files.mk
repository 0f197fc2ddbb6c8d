# SPDX-License-Identifier: MIT
# Installed and distributed, relative to the top: one allowlist a bundle.
bundle_files = \
	bundles/crates \
	bundles/debian \
	bundles/github \
	bundles/gitlab \
	bundles/go \
	bundles/maven \
	bundles/npm \
	bundles/pypi
