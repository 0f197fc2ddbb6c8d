# SPDX-License-Identifier: MIT
base_sources = \
	src/base/cleanup.h \
	src/base/diag.h \
	src/base/digest.h \
	src/base/fs.h \
	src/base/jqprog.h \
	src/base/json.h \
	src/base/lock.h \
	src/base/proc.h \
	src/base/strbuf.h \
	src/base/strvec.h \
	src/base/xalloc.h
