# SPDX-License-Identifier: MIT
# Installed and distributed, relative to the top: one JSON file a toolchain.
toolchain_files = \
	toolchains/c.json \
	toolchains/go.json \
	toolchains/java.json \
	toolchains/node.json \
	toolchains/python.json \
	toolchains/rust.json
