/* SPDX-License-Identifier: MIT */
/*
 * plan-bed: a request on directories of a test, and the models that Compose
 * made of the overlays for such a request (model-MODE.json, dollars doubled,
 * with @TMP@, @USER@ and @PROXY@ for what differs from run to run).
 */
#ifndef DRYDOCK_TESTS_PLAN_BED_H
#define DRYDOCK_TESTS_PLAN_BED_H

#include "engine/engine.h"
#include "engine/image.h"
#include "host/mode.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "plan/plan.h"

struct strbuf;

struct plan_bed {
	struct paths paths;
	struct settings settings;
	struct engine engine;
	struct project project;
	struct image agent_image;
	struct image egress_image;
	struct plan_request request;
	char *tmp; /* real path */
	char *session_dir; /* state/s, made; so are its four directories */
	char *history_dir; /* state/history, not made */
	char *model; /* the mode's model, single dollars */
};

/* The data directory is the source tree's own. */
void plan_bed_init(struct plan_bed *bed, enum mode mode);
void plan_bed_release(struct plan_bed *bed);

/* Removes what it made on disk: the next one makes the same names. */
void plan_bed_clear(const struct plan_bed *bed);

#define cleanup_plan_bed __attribute__((cleanup(plan_bed_release)))

#endif /* DRYDOCK_TESTS_PLAN_BED_H */
