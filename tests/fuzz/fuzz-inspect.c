/* SPDX-License-Identifier: MIT */
/*
 * The HostConfig of a container as the engine tells it: what passes has none of
 * the ways out that only this answer shows.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "engine/container.h"
#include "fuzz.h"
#include "plan/verify.h"

static const char *
text_at(const struct json *host, const char *key, const char *member)
{
	return json_string_or(json_get(json_get(host, key), member), "");
}

static void
check_empty(const struct json *n)
{
	FUZZ_CHECK(!json_bool(n, false) && json_len(n) == 0);
	FUZZ_CHECK(json_number(n) == NULL);
	FUZZ_CHECK(json_string_or(n, "")[0] == '\0');
}

static void
check_passed(const char *inspect)
{
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;

	FUZZ_CHECK(json_parse(inspect, strlen(inspect), "x", &root, &dg) == 0);
	const struct json *host = json_get(root, "HostConfig");
	check_empty(json_get(host, "Privileged"));
	check_empty(json_get(host, "CapAdd"));
	check_empty(json_get(host, "Binds"));
	check_empty(json_get(host, "Devices"));
	check_empty(json_get(host, "PortBindings"));
	check_empty(json_get(host, "PidMode"));
	check_empty(json_get(host, "UsernsMode"));
	FUZZ_CHECK(strcmp(text_at(host, "LogConfig", "Type"), "local") == 0);
	FUZZ_CHECK(strcmp(text_at(host, "RestartPolicy", "Name"), "no") == 0);
	FUZZ_CHECK(strcmp(json_string_or(json_get(host, "IpcMode"), ""),
		       "private") == 0);
	const struct json *options = json_get(host, "SecurityOpt");
	size_t profiles = 0;
	for (size_t i = 0; i < json_len(options); i++) {
		const char *s = json_string_or(json_at(options, i), "");

		FUZZ_CHECK(strstr(s, "unconfined") == NULL ||
		    strncmp(s, "seccomp", 7) != 0);
		profiles += strncmp(s, "seccomp=", 8) == 0;
	}
	FUZZ_CHECK(profiles > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char image[] = "sha256:a", user[] = "1:1", net[] = "none",
		    dir[] = "/w", driver[] = "local", restart[] = "no",
		    own[] = "private";
	const struct plan_service planned = {
		.image = image,
		.user = user,
		.network_mode = net,
		.log_driver = driver,
		.restart = restart,
		.ipc = own,
		.cgroup = own,
		.working_dir = dir,
		.env = STRVEC_INIT,
		.labels = STRVEC_INIT,
		.entrypoint = STRVEC_INIT,
		.command = STRVEC_INIT,
		.log_options = STRVEC_INIT,
		.ulimits = STRVEC_INIT,
	};
	cleanup_free char *text = fuzz_text(data, size);
	const struct container c = {
		.image_id = image,
		.env = STRVEC_INIT,
		.labels = STRVEC_INIT,
		.entrypoint = STRVEC_INIT,
		.user = user,
		.network_mode = net,
		.working_dir = dir,
		.inspect = text,
	};
	cleanup_diag struct diag dg = DIAG_INIT;

	int rc = verify_inspect(&planned, NULL, "{\"a\":1}", &c, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_POLICY);
	else
		check_passed(text);
	fuzz_outcome(rc, &dg);
	return 0;
}
