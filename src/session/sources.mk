# SPDX-License-Identifier: MIT
session_sources = \
	src/guest/wire.c \
	src/guest/wire.h \
	src/session/attach-view.c \
	src/session/attach.c \
	src/session/attach.h \
	src/session/clipboard.c \
	src/session/clipboard.h \
	src/session/collect-decide.c \
	src/session/collect.c \
	src/session/collect.h \
	src/session/egress.c \
	src/session/egress.h \
	src/session/goenv.c \
	src/session/goenv.h \
	src/session/homed.c \
	src/session/homed.h \
	src/session/images.c \
	src/session/images.h \
	src/session/interrupt.c \
	src/session/interrupt.h \
	src/session/launch-private.h \
	src/session/launch-start.c \
	src/session/launch.c \
	src/session/launch.h \
	src/session/record.c \
	src/session/record.h \
	src/session/seed.c \
	src/session/seed.h \
	src/session/session.c \
	src/session/session.h \
	src/session/task.c \
	src/session/task.h \
	src/session/teardown.c \
	src/session/teardown.h \
	src/session/tty.c \
	src/session/tty.h
