# SPDX-License-Identifier: MIT
plan_sources = \
	src/plan/plan.h \
	src/plan/procfacts-read.c \
	src/plan/procfacts.c \
	src/plan/procfacts.h \
	src/plan/squid.h \
	src/plan/verify-expect.c \
	src/plan/verify-inspect.c \
	src/plan/verify-mounts.c \
	src/plan/verify-process.c \
	src/plan/verify.c \
	src/plan/verify.h
