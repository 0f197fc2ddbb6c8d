# SPDX-License-Identifier: MIT
sync_sources = \
	src/sync/jsonfilter.c \
	src/sync/jsonfilter.h \
	src/sync/jsonpaths.c \
	src/sync/jsonpaths.h \
	src/sync/jsonread.c \
	src/sync/jsonread.h
