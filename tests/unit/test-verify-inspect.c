/* SPDX-License-Identifier: MIT */
/* verify: what stands at the binds, and what only the engine's answer shows. */
#include "plan/verify.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "engine/container.h"
#include "plan/plan.h"
#include "verify-kit.h"

static void
test_sources(void)
{
	static char source[] = "judged";
	static char target[] = "/in/target";
	cleanup_close int root =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int judged = -1;
	struct plan_mount bind = {
		.source = source,
		.target = target,
		.fd = -1,
	};
	const struct plan_service agent = { .mounts = &bind, .nmounts = 1 };
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(verify_sources(&agent, root, &dg), -1);
	diag_clear(&dg);
	CHECK_INT(mkdirat(root, "in", 0700), 0);
	CHECK_INT(mkdirat(root, "in/target", 0700), 0);
	CHECK_INT(mkdirat(root, "other", 0700), 0);
	judged = openat(root, "in/target", O_PATH | O_CLOEXEC);
	bind.fd = judged;
	CHECK_INT(verify_sources(&agent, root, &dg), 0);
	CHECK_INT(renameat(root, "in/target", root, "moved"), 0);
	CHECK_INT(verify_sources(&agent, root, &dg), -1);
	diag_clear(&dg);
	CHECK_INT(symlinkat("../moved", root, "in/target"), 0);
	CHECK_INT(verify_sources(&agent, root, &dg), -1);
	diag_clear(&dg);
	CHECK_INT(unlinkat(root, "in/target", 0), 0);
	CHECK_INT(renameat(root, "other", root, "in/target"), 0);
	CHECK_INT(verify_sources(&agent, root, &dg), -1);
	CHECK_INT(dg.class, DIAG_POLICY);
}

#define HOST_CONFIG                            \
	"\"RestartPolicy\":{\"Name\":\"no\"}," \
	"\"IpcMode\":\"private\","             \
	"\"LogConfig\":{\"Type\":\"local\"}"

static int
verify_container(const char *host_config, const char *more_env,
    const char *image, const char *seccomp)
{
	cleanup_plan struct plan plan = PLAN_INIT;
	const struct plan_service *agent = verify_kit_agent(NULL, &plan);
	cleanup_free char *inspect =
	    xasprintf("{\"HostConfig\":{%s}}", host_config);
	cleanup_free char *image_id = xstrdup(image);
	static char user[] = "1234:1235", net[] = "none", dir[] = "/home/u/p x";
	struct container c = {
		.image_id = image_id,
		.env = STRVEC_INIT,
		.labels = STRVEC_INIT,
		.entrypoint = STRVEC_INIT,
		.user = user,
		.network_mode = net,
		.working_dir = dir,
		.inspect = inspect,
	};
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc;

	strvec_push(&c.env, "PATH=/bin");
	strvec_push(&c.env, "N=1");
	strvec_push(&c.env, "HOME=/home/u");
	if (more_env != NULL)
		strvec_push(&c.env, more_env);
	strvec_push(&c.labels, "io.drydock.role=agent");
	strvec_push(&c.labels, "com.docker.compose.service=agent");
	strvec_push(&c.entrypoint, "/holder");
	strvec_push(&c.entrypoint, "hold");
	rc = verify_inspect(agent, verify_kit_image_env, seccomp, &c, &dg);
	CHECK_INT(dg.class, rc == 0 ? DIAG_NONE : DIAG_POLICY);
	CHECK(dg.message == NULL || strstr(dg.message, "secret") == NULL);
	strvec_release(&c.env);
	strvec_release(&c.labels);
	strvec_release(&c.entrypoint);
	return rc;
}

static void
test_inspect(void)
{
	static const char *const bad[] = {
		HOST_CONFIG ",\"Privileged\":true",
		HOST_CONFIG ",\"Privileged\":1",
		HOST_CONFIG ",\"Binds\":[\"/:/host\"]",
		HOST_CONFIG ",\"Devices\":[{}]",
		HOST_CONFIG ",\"CapAdd\":[\"SYS_ADMIN\"]",
		HOST_CONFIG ",\"PidMode\":\"host\"",
		"\"RestartPolicy\":{\"Name\":\"always\"},"
		"\"IpcMode\":\"private\","
		"\"LogConfig\":{\"Type\":\"local\"}",
		"\"RestartPolicy\":{\"Name\":\"no\"},"
		"\"IpcMode\":\"private\","
		"\"LogConfig\":{\"Type\":\"json-file\"}",
		"\"RestartPolicy\":{\"Name\":\"no\"},"
		"\"IpcMode\":\"container:0123\","
		"\"LogConfig\":{\"Type\":\"local\"}",
	};
	static const char same[] = HOST_CONFIG ",\"SecurityOpt\":["
					       "\"seccomp={\\\"a\\\":1}\"]";

	/* The last profile is the one that counts. */
	static const char *const options[] = {
		"\"seccomp={\\\"a\\\":1}\",\"seccomp=unconfined\"",
		"\"seccomp={\\\"a\\\":1}\",\"seccomp={\\\"a\\\":2}\"",
		"\"seccomp={\\\"a\\\":1}\",\"seccomp:unconfined\"",
		"\"no-new-privileges:true\"",
	};

	CHECK_INT(verify_container(HOST_CONFIG, NULL, "sha256:a", NULL), 0);
	CHECK_INT(verify_container(HOST_CONFIG, NULL, "sha256:b", NULL), -1);
	CHECK_INT(verify_container(HOST_CONFIG, "HTTP_PROXY=http://u:secret@h",
		      "sha256:a", NULL),
	    -1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_int(__FILE__, __LINE__, bad[i],
		    verify_container(bad[i], NULL, "sha256:a", NULL), -1);
	CHECK_INT(verify_container(same, NULL, "sha256:a", "{ \"a\": 1 }"), 0);
	CHECK_INT(verify_container(same, NULL, "sha256:a", "{ \"a\": 2 }"), -1);
	CHECK_INT(verify_container(HOST_CONFIG, NULL, "sha256:a", "{}"), -1);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		cleanup_free char *config =
		    xasprintf(HOST_CONFIG ",\"SecurityOpt\":[%s]", options[i]);

		CHECK_INT(
		    verify_container(config, NULL, "sha256:a", "{ \"a\": 1 }"),
		    -1);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "another file at a bind's target is refused", test_sources },
		{ "what inspect shows is as planned, secrets are not told",
		    test_inspect },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
