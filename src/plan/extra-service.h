/* SPDX-License-Identifier: MIT */
/*
 * extra-service: the services that overlays of the user's add to drydock's own.
 *
 * The user writes an image and what is particular to it; drydock adds the
 * hardening before that, as compose/service.yml has it, and the image's id
 * after it.  What became of the two when they were merged, the policy judges.
 */
#ifndef DRYDOCK_PLAN_EXTRA_SERVICE_H
#define DRYDOCK_PLAN_EXTRA_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/image.h"

struct assembly;
struct diag;
struct plan_request;

struct extra_service {
	char *name; /* owned */
	char *reference; /* owned; as the last overlay names it; NULL: none */
	struct image image; /* its id is NULL when the engine has none */
	bool has_entrypoint; /* an overlay says what runs */
	bool has_command;
	struct strvec mounted; /* where overlays mount something */
	struct strvec
	    tmpfs; /* for the volumes of its image, as Compose has it */
};

/*
 * Finds them in the overlays from the first-th on, which are the user's, asks
 * the engine for their images, and puts drydock's part of them around those.
 * More than a few are DIAG_CONFIG.  An image that is not there is no failure.
 */
int extra_services_add(const struct plan_request *request, size_t first,
    struct assembly *assembly, struct diag *dg);

void extra_services_free(struct extra_service *v, size_t nr);

#endif /* DRYDOCK_PLAN_EXTRA_SERVICE_H */
