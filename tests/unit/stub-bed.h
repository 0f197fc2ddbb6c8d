/* SPDX-License-Identifier: MIT */
/*
 * stub-bed: the engine room with tests/stub as its engine and programs.
 */
#ifndef DRYDOCK_TESTS_STUB_BED_H
#define DRYDOCK_TESTS_STUB_BED_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/strvec.h"
#include "host/paths.h"
#include "host/settings.h"

struct engine;

/* A home with stubs of docker and docker-compose, and of the engine. */
struct bed {
	struct paths paths;
	struct settings settings;
	struct strvec env;
	pid_t engine; /* tests/stub/world */
};

/* Makes a bed in the test's directory, and opens the engine that is in it. */
bool bed_find(struct bed *bed, struct engine *engine);
void bed_release(struct bed *bed);

/*
 * Writes a file of the stub's script: see tests/stub/docker for the programs,
 * and tests/stub/world-script.c for the API.
 */
void stub_script(const char *name, const char *text);

/* The stub counts its calls anew. */
void stub_forget(void);

/* What the stub has recorded; returned, with a newline for each NUL. */
char *stub_recorded(const char *name);

#define cleanup_bed __attribute__((cleanup(bed_release)))

#endif /* DRYDOCK_TESTS_STUB_BED_H */
