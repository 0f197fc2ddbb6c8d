# SPDX-License-Identifier: MIT
cmd_sources = \
	src/cmd/allow.c \
	src/cmd/attach.c \
	src/cmd/build.c \
	src/cmd/cache.c \
	src/cmd/cmd.h \
	src/cmd/config.c \
	src/cmd/diff.c \
	src/cmd/egress.c \
	src/cmd/exec.c \
	src/cmd/gc.c \
	src/cmd/list.c \
	src/cmd/logs.c \
	src/cmd/options.c \
	src/cmd/options.h \
	src/cmd/patch.c \
	src/cmd/plan.c \
	src/cmd/port.c \
	src/cmd/prove.c \
	src/cmd/reseal.c \
	src/cmd/run.c \
	src/cmd/sessions.c \
	src/cmd/sessions.h \
	src/cmd/setup.c \
	src/cmd/stop.c \
	src/cmd/sync.c \
	src/cmd/table.c \
	src/cmd/table.h \
	src/cmd/token.c

# Completions ask the program for its tables.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = completions/bash/drydock
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = completions/zsh/_drydock
