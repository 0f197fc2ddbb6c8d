# SPDX-License-Identifier: MIT
plan_sources = \
	src/plan/assemble.c \
	src/plan/datafile.c \
	src/plan/datafile.h \
	src/plan/facts.c \
	src/plan/facts.h \
	src/plan/judge.c \
	src/plan/judge.h \
	src/plan/model.c \
	src/plan/model.h \
	src/plan/plan.h \
	src/plan/policy.c \
	src/plan/policy.h \
	src/plan/prepare.c \
	src/plan/procfacts-read.c \
	src/plan/procfacts.c \
	src/plan/procfacts.h \
	src/plan/seal.c \
	src/plan/squid.c \
	src/plan/squid.h \
	src/plan/values.c \
	src/plan/values.h \
	src/plan/verify-expect.c \
	src/plan/verify-inspect.c \
	src/plan/verify-mounts.c \
	src/plan/verify-process.c \
	src/plan/verify.c \
	src/plan/verify.h
