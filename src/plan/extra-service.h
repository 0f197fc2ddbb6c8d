/* SPDX-License-Identifier: MIT */
/*
 * extra-service: services that user overlays add to drydock's own.
 *
 * The user writes the image and the settings of the service.  drydock puts the
 * hardening of compose/service.yml before the user's overlays and the image's
 * id after them.  The policy judges the merged result.
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
	char *reference; /* owned; the last overlay's; or NULL */
	struct image image; /* id is NULL if the engine has none */
	bool has_entrypoint; /* an overlay sets the entrypoint */
	bool has_command;
	struct strvec mounted; /* targets of the overlays' mounts */
	struct strvec tmpfs; /* Compose tmpfs entries for the image's volumes */
};

/*
 * Finds the extra services in the overlays from index "first" on, which are the
 * user's.  Inspects their images and inserts drydock's overlays for them before
 * and after the user's.  More than 8 services are DIAG_CONFIG.  A missing image
 * is not a failure here.
 */
int extra_services_add(const struct plan_request *request, size_t first,
    struct assembly *assembly, struct diag *dg);

void extra_services_free(struct extra_service *v, size_t nr);

#endif /* DRYDOCK_PLAN_EXTRA_SERVICE_H */
