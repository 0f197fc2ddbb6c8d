# SPDX-License-Identifier: MIT
base_sources = \
	src/base/cleanup.c \
	src/base/cleanup.h \
	src/base/diag.c \
	src/base/diag.h \
	src/base/digest.c \
	src/base/digest.h \
	src/base/fs-copy.c \
	src/base/fs-io.c \
	src/base/fs-remove.c \
	src/base/fs-walk.c \
	src/base/fs-walk.h \
	src/base/fs.c \
	src/base/fs.h \
	src/base/jqprog.c \
	src/base/jqprog.h \
	src/base/json-text.c \
	src/base/json-text.h \
	src/base/json.c \
	src/base/json.h \
	src/base/jsonw.c \
	src/base/lock.c \
	src/base/lock.h \
	src/base/monotime.c \
	src/base/monotime.h \
	src/base/proc-finish.c \
	src/base/proc-private.h \
	src/base/proc.c \
	src/base/proc.h \
	src/base/strbuf.c \
	src/base/strbuf.h \
	src/base/strvec.c \
	src/base/strvec.h \
	src/base/utf8.c \
	src/base/utf8.h \
	src/base/xalloc.c \
	src/base/xalloc.h
