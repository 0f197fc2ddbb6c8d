# SPDX-License-Identifier: MIT
plan_sources = \
	src/plan/assemble.c \
	src/plan/datafile.c \
	src/plan/datafile.h \
	src/plan/facts.c \
	src/plan/facts.h \
	src/plan/judge.c \
	src/plan/model.c \
	src/plan/model.h \
	src/plan/plan.h \
	src/plan/policy.c \
	src/plan/policy.h \
	src/plan/prepare.c \
	src/plan/seal.c \
	src/plan/squid.c \
	src/plan/squid.h \
	src/plan/values.c \
	src/plan/values.h
