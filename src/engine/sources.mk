# SPDX-License-Identifier: MIT
engine_sources = \
	src/engine/answer.c \
	src/engine/answer.h \
	src/engine/api.c \
	src/engine/api.h \
	src/engine/bootstrap.c \
	src/engine/bootstrap.h \
	src/engine/build-recipe.c \
	src/engine/build-recipe.h \
	src/engine/build.c \
	src/engine/build.h \
	src/engine/buildkit.c \
	src/engine/buildkit.h \
	src/engine/built.c \
	src/engine/built.h \
	src/engine/compose.c \
	src/engine/compose.h \
	src/engine/container.c \
	src/engine/container.h \
	src/engine/context.c \
	src/engine/context.h \
	src/engine/engine.c \
	src/engine/engine.h \
	src/engine/hostconf.c \
	src/engine/hostconf.h \
	src/engine/image.c \
	src/engine/image.h \
	src/engine/inimage.c \
	src/engine/inimage.h \
	src/engine/probe.c \
	src/engine/tarball.c \
	src/engine/tarball.h
