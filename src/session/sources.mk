# SPDX-License-Identifier: MIT
session_sources = \
	src/guest/wire.c \
	src/guest/wire.h \
	src/session/collect-decide.c \
	src/session/collect.c \
	src/session/collect.h \
	src/session/launch.h \
	src/session/record.c \
	src/session/record.h \
	src/session/session.c \
	src/session/session.h
