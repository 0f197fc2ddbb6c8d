# SPDX-License-Identifier: MIT
cmd_sources = \
	src/cmd/cmd.h
