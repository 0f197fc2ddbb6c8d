# SPDX-License-Identifier: MIT
deps_sources = \
	src/deps/cachefile.c \
	src/deps/cachefile.h \
	src/deps/cacheseed.c \
	src/deps/cacheseed.h \
	src/deps/cacheverify.c \
	src/deps/cargolock.c \
	src/deps/cargolock.h \
	src/deps/cargomanifest.c \
	src/deps/cargomanifest.h \
	src/deps/cargoredirect.c \
	src/deps/cargoredirect.h \
	src/deps/crate.c \
	src/deps/crate.h \
	src/deps/cratemanifest.c \
	src/deps/cratemanifest.h \
	src/deps/gosum.c \
	src/deps/gosum.h \
	src/deps/modzip.c \
	src/deps/modzip.h \
	src/deps/npmlock.c \
	src/deps/npmlock.h \
	src/deps/packages.c \
	src/deps/packages.h \
	src/deps/patchtree.c \
	src/deps/patchtree.h \
	src/deps/patchledger.c \
	src/deps/patchledger.h \
	src/deps/patchtext.c \
	src/deps/patchtext.h \
	src/deps/patchtools.c \
	src/deps/patchtools.h \
	src/deps/toml.c \
	src/deps/toml.h
