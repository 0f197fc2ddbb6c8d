# SPDX-License-Identifier: MIT
host_sources = \
	src/host/agent-sync.c \
	src/host/agent-sync.h \
	src/host/agent.c \
	src/host/agent.h \
	src/host/allowlist.c \
	src/host/allowlist.h \
	src/host/gitident.c \
	src/host/gitident.h \
	src/host/knownprojects.c \
	src/host/knownprojects.h \
	src/host/mode.c \
	src/host/mode.h \
	src/host/nearest.c \
	src/host/nearest.h \
	src/host/paths-state.c \
	src/host/paths.c \
	src/host/paths.h \
	src/host/program.c \
	src/host/program.h \
	src/host/project.c \
	src/host/project.h \
	src/host/protected.c \
	src/host/protected.h \
	src/host/reserved.c \
	src/host/reserved.h \
	src/host/setting-value.c \
	src/host/setting-value.h \
	src/host/settings-load.c \
	src/host/settings.c \
	src/host/settings.h \
	src/host/text.c \
	src/host/text.h \
	src/host/token.c \
	src/host/token.h \
	src/host/trusted.c \
	src/host/trusted.h
