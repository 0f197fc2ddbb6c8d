# SPDX-License-Identifier: MIT
engine_sources = \
	src/engine/answer.c \
	src/engine/answer.h \
	src/engine/compose-version.c \
	src/engine/compose-version.h \
	src/engine/compose.c \
	src/engine/compose.h \
	src/engine/container-parse.c \
	src/engine/container.c \
	src/engine/container.h \
	src/engine/endpoint.c \
	src/engine/endpoint.h \
	src/engine/engine.c \
	src/engine/engine.h \
	src/engine/image.c \
	src/engine/image.h \
	src/engine/inspect.c \
	src/engine/inspect.h \
	src/engine/moment.c \
	src/engine/moment.h \
	src/engine/probe.c \
	src/engine/version.c \
	src/engine/version.h
