# SPDX-License-Identifier: MIT
host_sources = \
	src/host/agent.h \
	src/host/allowlist.h \
	src/host/mode.h \
	src/host/paths.h \
	src/host/project.h \
	src/host/settings.h
