# SPDX-License-Identifier: MIT
sync_sources = \
	src/sync/generation.c \
	src/sync/generation.h \
	src/sync/inodes.c \
	src/sync/inodes.h \
	src/sync/jsonfilter.c \
	src/sync/jsonfilter.h \
	src/sync/manifest.c \
	src/sync/manifest.h \
	src/sync/scan.c \
	src/sync/scan.h \
	src/sync/sync.c \
	src/sync/sync.h \
	src/sync/walk.c \
	src/sync/walk.h
