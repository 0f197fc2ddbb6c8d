/* SPDX-License-Identifier: MIT */
/* plan-bed: what the tests of plan stand on. */
#include "plan-bed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "data-kit.h"
#include "plan/model.h"
#include "plan/values.h"

#define IMAGE(c) "sha256:" c c c c c c c c
#define FOUR(c) c c c c c c c c

static void
make_dir(const char *tmp, const char *name)
{
	cleanup_free char *path = xasprintf("%s/%s", tmp, name);

	CHECK_INT(mkdir(path, 0700), 0);
}

static void
make_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(strlen(path) < sizeof(a.sun_path));
	memcpy(a.sun_path, path, strlen(path) + 1);
	CHECK_INT(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
}

/* Puts value wherever token stands. */
static void
replace(struct strbuf *text, const char *token, const char *value)
{
	struct strbuf out = STRBUF_INIT;
	const char *rest = text->buf;
	const char *at;

	while ((at = strstr(rest, token)) != NULL) {
		strbuf_add(&out, rest, (size_t)(at - rest));
		strbuf_addstr(&out, value);
		rest = at + strlen(token);
	}
	strbuf_addstr(&out, rest);
	strbuf_release(text);
	*text = out;
}

static char *
read_model(const struct plan_bed *bed)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf single = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *name = xasprintf(
	    "tests/unit/model-%s.json", mode_name(bed->request.mode.mode));
	cleanup_free char *user =
	    plan_service_user(&bed->request, SERVICE_AGENT);
	cleanup_free char *proxy =
	    plan_service_user(&bed->request, SERVICE_EGRESS);
	cleanup_close int fd = -1;

	CHECK_INT(fs_open_dir(getenv("top_srcdir"), &fd, &dg), 0);
	CHECK_INT(fs_read_file(fd, name, 65536, &text, &dg), 0);
	replace(&text, "@TMP@", bed->tmp);
	replace(&text, "@USER@", user);
	replace(&text, "@PROXY@", proxy);
	CHECK_INT(dollars_unescape(text.buf, text.len, &single, &dg), 0);
	CHECK_STR(dg.message, NULL);
	return strbuf_detach(&single, NULL);
}

static void
fill_settings(struct plan_bed *bed)
{
	settings_init(&bed->settings);
	bed->settings.memory = 1073741824;
	bed->settings.cpus_milli = 1500;
	bed->settings.pids = 256;
	bed->settings.tmp_size = 67108864;
	bed->settings.shm_size = 67108864;
}

static void
fill_places(struct plan_bed *bed)
{
	static const char *const dirs[] = { "home", "home/pro$ject", "config",
		"state", "state/s", "state/s/home", "state/s/run",
		"state/s/egress", "state/s/sidecar" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		make_dir(bed->tmp, dirs[i]);
	paths_init(&bed->paths);
	bed->paths.uid = getuid();
	bed->paths.gid = getgid();
	bed->paths.user = xstrdup("somebody");
	bed->paths.home = xasprintf("%s/home", bed->tmp);
	bed->paths.config_dir = xasprintf("%s/config", bed->tmp);
	bed->paths.state_dir = xasprintf("%s/state", bed->tmp);
	bed->paths.data_dir = data_kit_copy(bed->tmp);
	memcpy(bed->paths.state_id, "0123456789abcdef0123456789abcdef", 33);
	bed->project.path = xasprintf("%s/home/pro$ject", bed->tmp);
	bed->project.name = xstrdup("project");
	bed->project.key = xstrdup("0123456789abcdef-project");
	bed->project.config = xstrdup("projects/0123456789abcdef-project");
	bed->project.fd =
	    open(bed->project.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(bed->project.fd != -1);
	bed->engine = (struct engine)ENGINE_INIT;
	bed->engine.socket = xasprintf("%s/engine.sock", bed->tmp);
	bed->engine.socket_gid = 999;
	make_socket(bed->engine.socket);
	bed->session_dir = xasprintf("%s/state/s", bed->tmp);
	bed->history_dir = xasprintf("%s/state/history", bed->tmp);
}

void
plan_bed_init(struct plan_bed *bed, enum mode mode)
{
	memset(bed, 0, sizeof(*bed));
	bed->tmp = realpath(check_tmpdir(), NULL);
	CHECK(bed->tmp != NULL);
	fill_settings(bed);
	fill_places(bed);
	bed->agent_image = (struct image)IMAGE_INIT;
	bed->agent_image.id = xstrdup(IMAGE(FOUR("a")));
	bed->egress_image = (struct image)IMAGE_INIT;
	bed->egress_image.id = xstrdup(IMAGE(FOUR("b")));
	bed->request = (struct plan_request){
		.paths = &bed->paths,
		.settings = &bed->settings,
		.engine = &bed->engine,
		.project = &bed->project,
		.mode = { mode, "a test" },
		.session_id = "abcdefgh",
		.session_dir = bed->session_dir,
		.history_dir = bed->history_dir,
		.agent_image = &bed->agent_image,
		.egress_image = &bed->egress_image,
	};
	bed->model = read_model(bed);
}

void
plan_bed_release(struct plan_bed *bed)
{
	paths_release(&bed->paths);
	settings_release(&bed->settings);
	engine_release(&bed->engine);
	project_release(&bed->project);
	image_release(&bed->agent_image);
	image_release(&bed->egress_image);
	free(bed->tmp);
	free(bed->session_dir);
	free(bed->history_dir);
	free(bed->model);
}

void
plan_bed_clear(const struct plan_bed *bed)
{
	static const char *const names[] = { "home", "state", "config", "other",
		"engine.sock" };
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	CHECK_INT(fs_open_dir(bed->tmp, &fd, &dg), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK_INT(fs_remove_tree(fd, names[i], &dg), 0);
}
