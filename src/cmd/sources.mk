# SPDX-License-Identifier: MIT
cmd_sources = \
	src/cmd/cmd.h \
	src/cmd/config.c \
	src/cmd/help.c \
	src/cmd/options.c \
	src/cmd/options.h \
	src/cmd/table.c \
	src/cmd/table.h \
	src/cmd/version.c
