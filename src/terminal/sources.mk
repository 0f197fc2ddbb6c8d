# SPDX-License-Identifier: MIT
terminal_sources = \
	src/terminal/detach-key.c \
	src/terminal/detach-key.h \
	src/terminal/interrupt.c \
	src/terminal/interrupt.h \
	src/terminal/prompt.c \
	src/terminal/prompt.h \
	src/terminal/screentext.c \
	src/terminal/screentext.h \
	src/terminal/sink.c \
	src/terminal/sink.h \
	src/terminal/termfilter.c \
	src/terminal/termfilter.h \
	src/terminal/termmodes.c \
	src/terminal/termmodes.h \
	src/terminal/tty.c \
	src/terminal/tty.h \
	src/terminal/vt.c \
	src/terminal/vt.h
