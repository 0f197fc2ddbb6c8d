/* SPDX-License-Identifier: MIT */
/*
 * stub-bed: the engine room with tests/stub/docker as its engine.
 */
#ifndef DRYDOCK_TESTS_STUB_BED_H
#define DRYDOCK_TESTS_STUB_BED_H

#include <stdbool.h>

#include "base/strvec.h"
#include "host/paths.h"
#include "host/settings.h"

struct engine;

/* A home with stubs of docker and docker-compose, and a socket that listens. */
struct bed {
	struct paths paths;
	struct settings settings;
	struct strvec env;
	int listener;
};

/* Makes a bed in the test's directory, and finds the engine that is in it. */
bool bed_find(struct bed *bed, struct engine *engine);
void bed_release(struct bed *bed);

/* Writes a file of the stub's script; see tests/stub/docker. */
void stub_script(const char *name, const char *text);

/* The stub counts its calls anew. */
void stub_forget(void);

/* What the stub has recorded; returned, with a newline for each NUL. */
char *stub_recorded(const char *name);

#define cleanup_bed __attribute__((cleanup(bed_release)))

#endif /* DRYDOCK_TESTS_STUB_BED_H */
