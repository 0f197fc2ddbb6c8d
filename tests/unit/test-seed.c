/* SPDX-License-Identifier: MIT */
/* seed: a session's home before anything runs in it. */
#include "session/seed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/settings.h"
#include "host/toolchain.h"

#include "check.h"

#define IMAGE_HEX                          \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct bed {
	struct paths paths;
	struct settings settings;
	int home_fd;
};

static void
bed_open(struct bed *bed)
{
	static const char *const names[] = { "home", "agents",
		"agents/claude" };

	paths_init(&bed->paths);
	settings_init(&bed->settings);
	bed->paths.uid = geteuid();
	bed->paths.home = xasprintf("%s/host", check_tmpdir());
	bed->paths.config_dir = xasprintf("%s/config/drydock", check_tmpdir());
	bed->paths.state_dir = xstrdup(check_tmpdir());
	bed->paths.state_fd =
	    open(bed->paths.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK_INT(mkdirat(bed->paths.state_fd, names[i], 0700), 0);
	bed->home_fd = openat(
	    bed->paths.state_fd, "home", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Opens a bed, and parses the rules of the agent "tool". */
static void
open_tool(struct bed *bed, struct agent *agent, const char *rules)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	bed_open(bed);
	CHECK_INT(
	    agent_parse(agent, "tool", "tool.json", rules, strlen(rules), &dg),
	    0);
	CHECK_STR(dg.message, NULL);
}

static void
bed_close(struct bed *bed)
{
	(void)close(bed->home_fd);
	settings_release(&bed->settings);
	paths_release(&bed->paths);
}

#define cleanup_bed __attribute__((cleanup(bed_close)))

static int
seed(struct bed *bed, const struct agent *agent, struct diag *dg)
{
	const struct seed_spec spec = {
		.paths = &bed->paths,
		.settings = &bed->settings,
		.agent = agent,
		.image_id = "sha256:" IMAGE_HEX,
		.project = "/p",
	};

	return seed_home(&spec, bed->home_fd, dg);
}

/* A path that exists, or has no directory above it, keeps no cache. */
static void
test_caches(void)
{
	static const char text[] =
	    "{\"caches\": ["
	    "{\"path\": \"c/r\", \"link\": \".c/r\", \"source\": \"s\"},"
	    "{\"path\": \"d\", \"link\": \".d\", \"source\": \"s\"},"
	    "{\"path\": \"e\", \"link\": \".e/f\", \"source\": \"s\"}]}";
	cleanup_bed struct bed bed;
	char name[] = "claude";
	struct agent agent = AGENT_INIT;
	struct toolchain toolchain = TOOLCHAIN_INIT;
	const struct toolchains list = { &toolchain, 1 };
	cleanup_diag struct diag dg = DIAG_INIT;
	char target[64] = "";
	struct stat st;

	bed_open(&bed);
	agent.name = name;
	CHECK_INT(
	    toolchain_parse(&toolchain, "t", "t.json", text, strlen(text), &dg),
	    0);
	CHECK_INT(mkdirat(bed.home_fd, ".d", 0700), 0);
	CHECK_INT(symlinkat("/", bed.home_fd, ".e"), 0);
	const struct seed_spec spec = {
		.paths = &bed.paths,
		.settings = &bed.settings,
		.agent = &agent,
		.image_id = "sha256:" IMAGE_HEX,
		.project = "/p",
		.caches = &list,
	};
	CHECK_INT(seed_home(&spec, bed.home_fd, &dg), 0);
	CHECK(readlinkat(bed.home_fd, ".c/r", target, sizeof(target) - 1) > 0);
	CHECK_STR(target, "/var/lib/drydock/cache/c/r");
	CHECK_INT(fstatat(bed.home_fd, ".d", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_INT(faccessat(AT_FDCWD, "/f", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	toolchain_release(&toolchain);
}

static void
check_link(int home_fd, const char *path)
{
	char target[128] = "";

	CHECK(readlinkat(home_fd, path, target, sizeof(target) - 1) > 0);
	CHECK_STR(target, SEED_HISTORY_TARGET);
}

static void
test_link(void)
{
	cleanup_bed struct bed bed;
	char name[] = "claude";
	char link[] = ".claude/deep/projects";
	struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct stat st;

	bed_open(&bed);
	agent.name = name;
	agent.history_link = link;
	CHECK_INT(seed(&bed, &agent, &dg), 0);
	check_link(bed.home_fd, link);
	CHECK_INT(fstatat(bed.home_fd, ".claude", &st, 0), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 0700);
}

static void
test_no_link(void)
{
	cleanup_bed struct bed bed;
	char name[] = "claude";
	struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	bed_open(&bed);
	agent.name = name;
	CHECK_INT(seed(&bed, &agent, &dg), 0);
	CHECK_INT(unlinkat(bed.paths.state_fd, "home", AT_REMOVEDIR), 0);
}

static void
test_snapshot(void)
{
	cleanup_bed struct bed bed;
	char name[] = "claude";
	char link[] = ".claude/projects";
	struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct stat st;
	int fd;

	bed_open(&bed);
	agent.name = name;
	agent.history_link = link;
	CHECK_INT(
	    mkdirat(bed.paths.state_fd, "agents/claude/snapshot", 0700), 0);
	CHECK_INT(
	    mkdirat(bed.paths.state_fd, "agents/claude/snapshot/.claude", 0700),
	    0);
	CHECK_INT(mkdirat(bed.paths.state_fd,
		      "agents/claude/snapshot/.claude/projects", 0700),
	    0);
	fd = openat(bed.paths.state_fd, "agents/claude/snapshot/.claude/a",
	    O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	(void)close(fd);
	CHECK_INT(seed(&bed, &agent, &dg), 0);
	check_link(bed.home_fd, link);
	CHECK_INT(fstatat(bed.home_fd, ".claude/a", &st, 0), 0);
}

static void
put(int dirfd, const char *path, const char *text)
{
	int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

/* No sync succeeded since the agent's rules came to know of these. */
static void
test_newer_rules(void)
{
	static const char rules[] =
	    "{\"command\": [\"tool\"], \"sync\": {"
	    "\"trees\": [{\"path\": \".t\", \"exclude\": [\"cache\"]}],"
	    "\"documents\": [{\"path\": \".t.json\", \"to\": \".t/main\","
	    " \"drop\": [\".secret?\"], \"drop_at_seed\": [\".other?\"]}],"
	    "\"credentials\": [\"key*\"]}}";
	static const char *const dirs[] = { "agents/tool",
		"agents/tool/snapshot", "agents/tool/snapshot/.t",
		"agents/tool/snapshot/.t/cache",
		"agents/tool/snapshot/.t/sub" };
	cleanup_bed struct bed bed;
	struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct stat st;
	int top;

	open_tool(&bed, &agent, rules);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		CHECK_INT(mkdirat(bed.paths.state_fd, dirs[i], 0700), 0);
	top = openat(bed.paths.state_fd, "agents/tool/snapshot/.t",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(top, "cache/x", "canary");
	put(top, "sub/cache", "kept");
	put(top, "key", "canary");
	put(top, "sub/KEY.old", "canary");
	put(top, "main", "{\"n\": 1.0, \"secret\": 1, \"other\": 2}");
	(void)close(top);
	CHECK_INT(seed(&bed, &agent, &dg), 0);
	CHECK_INT(fstatat(bed.home_fd, ".t/sub/cache", &st, 0), 0);
	CHECK_INT(fstatat(bed.home_fd, ".t/cache", &st, 0), -1);
	CHECK_INT(fstatat(bed.home_fd, ".t/key", &st, 0), -1);
	CHECK_INT(fstatat(bed.home_fd, ".t/sub/KEY.old", &st, 0), -1);
	CHECK_INT(fs_read_file(bed.home_fd, ".t/main", 4096, &text, &dg), 0);
	CHECK_STR(text.buf, "{\"n\": 1.0}");
	agent_release(&agent);
}

/* A list that is absent or damaged leaves nothing out. */
static void
test_programs(void)
{
	static const char rules[] =
	    "{\"command\": [\"tool\"], \"sync\": {"
	    "\"documents\": [{\"path\": \".t.json\", \"to\": \"main\","
	    " \"programs\": [\".s[].c\"]}]}}";
	static const char text[] =
	    "{\"s\": {\"a\": {\"c\": \"foo\"}, \"b\": {\"c\": \"npx\"}}}";
	static const char *const dirs[] = { "agents/tool",
		"agents/tool/snapshot", "programs" };
	static const struct {
		const char *list;
		const char *want;
	} rows[] = {
		{ NULL, text },
		{ "npx\nsh\n", "{\"s\": {\"b\": {\"c\": \"npx\"}}}" },
		{ "npx\nfoo\nsh\n", text },
		{ "np", text },
		{ "", text },
	};
	cleanup_bed struct bed bed;
	struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	open_tool(&bed, &agent, rules);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		CHECK_INT(mkdirat(bed.paths.state_fd, dirs[i], 0700), 0);
	put(bed.paths.state_fd, "agents/tool/snapshot/main", text);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf got = STRBUF_INIT;
		char path[] = "programs/" IMAGE_HEX;

		(void)unlinkat(bed.paths.state_fd, path, 0);
		if (rows[i].list != NULL)
			put(bed.paths.state_fd, path, rows[i].list);
		CHECK_INT(seed(&bed, &agent, &dg), 0);
		CHECK_INT(
		    fs_read_file(bed.home_fd, "main", 4096, &got, &dg), 0);
		CHECK_STR(got.buf, rows[i].want);
		CHECK_INT(unlinkat(bed.home_fd, "main", 0), 0);
	}
	agent_release(&agent);
}

/* The host's key, account or project's file has a second name in home.d. */
static void
test_other_names(void)
{
	static const char rules[] = "{\"command\": [\"tool\"]}";
	static const char *const dirs[] = { "host", "host/.t", "host/project",
		"config", "config/drydock", "config/drydock/home.d",
		"config/drydock/home.d/tool" };
	static const char *const files[] = { "host/.t/key", "host/.t.json",
		"host/project/CLAUDE.md" };
	cleanup_bed struct bed bed;
	struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct stat st;
	int state;

	open_tool(&bed, &agent, rules);
	state = bed.paths.state_fd;
	CHECK_INT(mkdirat(state, "agents/tool", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		CHECK_INT(mkdirat(state, dirs[i], 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_diag struct diag mine = DIAG_INIT;
		const char *name = "config/drydock/home.d/tool/x";

		put(state, files[i], "canary");
		CHECK_INT(linkat(state, files[i], state, name, 0), 0);
		CHECK_INT(seed(&bed, &agent, &mine), -1);
		CHECK_INT(mine.class, DIAG_CONFIG);
		CHECK_INT(fstatat(bed.home_fd, "x", &st, 0), -1);
		CHECK_INT(unlinkat(state, files[i], 0), 0);
		/* Once it has one name it is the user's alone. */
		CHECK_INT(seed(&bed, &agent, &dg), 0);
		CHECK_INT(unlinkat(bed.home_fd, "x", 0), 0);
		CHECK_INT(unlinkat(state, name, 0), 0);
	}
	agent_release(&agent);
}

/* What is in no agent's directory is for each of them. */
static void
test_common_files(void)
{
	static const char *const dirs[] = { "config", "config/drydock",
		"config/drydock/home.d", "config/drydock/home.d/.vim",
		"config/drydock/home.d/.git", "config/drydock/home.d/other",
		"config/drydock/home.d/claude" };
	static const struct {
		const char *file;
		const char *text;
		const char *seeded;
	} rows[] = {
		{ ".vimrc", "common", ".vimrc" },
		{ ".both", "common", NULL },
		{ "claude/.both", "own", ".both" },
		{ ".vim/v", "v", ".vim/v" },
		{ ".git/config", "no", NULL },
		{ "README", "no", NULL },
		{ "other/.theirs", "no", NULL },
	};
	struct bed bed cleanup_bed;
	char name[] = "claude";
	struct agent agent = AGENT_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;
	struct stat st;

	bed_open(&bed);
	agent.name = name;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		CHECK_INT(mkdirat(bed.paths.state_fd, dirs[i], 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *path =
		    xasprintf("config/drydock/home.d/%s", rows[i].file);

		put(bed.paths.state_fd, path, rows[i].text);
	}
	CHECK_INT(seed(&bed, &agent, &dg), 0);
	CHECK_STR(dg.message, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct strbuf text cleanup_strbuf = STRBUF_INIT;

		if (rows[i].seeded == NULL)
			continue;
		CHECK_INT(
		    fs_read_file(bed.home_fd, rows[i].seeded, 100, &text, &dg),
		    0);
		CHECK_STR(text.buf, rows[i].text);
	}
	CHECK_INT(fstatat(bed.home_fd, ".git", &st, 0), -1);
	CHECK_INT(fstatat(bed.home_fd, "README", &st, 0), -1);
	CHECK_INT(fstatat(bed.home_fd, ".theirs", &st, 0), -1);
}

/* The client's document gets what it lacks, and keeps each byte that it has. */
static void
test_token_document(void)
{
	static const char rules[] =
	    "{\"command\": [\"tool\"], \"token\": {\"variable\": \"T\","
	    " \"advice\": \"get\", \"document\": \".t/main\","
	    " \"defaults\": {\"done\": true, \"n\": {\"x\": [1]}}}}";
	static const struct {
		const char *there; /* NULL: no file */
		const char *want;
	} rows[] = {
		{ NULL, "{\"done\":true,\"n\":{\"x\":[1]}}" },
		{ "{ }\n", "{\"done\":true,\"n\":{\"x\":[1]} }\n" },
		{ "{\"n\" : 1.0 }", "{\"n\" : 1.0,\"done\":true }" },
		{ "{\"done\": false, \"n\": \"\\ud800\"}",
		    "{\"done\": false, \"n\": \"\\ud800\"}" },
		{ "{\"done\": ", "{\"done\": " },
		{ "[1]", "[1]" },
	};
	cleanup_bed struct bed bed;
	struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	open_tool(&bed, &agent, rules);
	CHECK_INT(mkdirat(bed.paths.state_fd, "agents/tool", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct seed_spec spec = { .paths = &bed.paths,
			.settings = &bed.settings,
			.agent = &agent,
			.project = "/p",
			.token = true };
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		if (rows[i].there != NULL) {
			CHECK_INT(mkdirat(bed.home_fd, ".t", 0700), 0);
			put(bed.home_fd, ".t/main", rows[i].there);
		}
		if (!CHECK_INT(seed_home(&spec, bed.home_fd, &dg), 0))
			CHECK_STR(dg.message, NULL);
		CHECK_INT(
		    fs_read_file(bed.home_fd, ".t/main", 4096, &text, &dg), 0);
		CHECK_STR(text.buf, rows[i].want);
		CHECK_INT(fs_remove_tree(bed.home_fd, ".t", &dg), 0);
	}
	CHECK_INT(seed(&bed, &agent, &dg), 0);
	CHECK_INT(faccessat(bed.home_fd, ".t", F_OK, 0), -1);
	agent_release(&agent);
}

/* A directory of home.d that once was a project is an agent's. */
static void
test_project_within(void)
{
	static const char *const dirs[] = { "config", "config/drydock",
		"config/drydock/home.d", "config/drydock/home.d/claude",
		"config/drydock/home.d/claude/.x",
		"config/drydock/home.d/claude/.x/work" };
	cleanup_bed struct bed bed;
	char name[] = "claude";
	struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *project = xasprintf(
	    "%s/config/drydock/home.d/claude/.x/work", check_tmpdir());
	cleanup_free char *want = xasprintf(
	    "seed the session's home: home.d/claude/.x/work lies in %s, which "
	    "a session can or could write: replace it with a copy",
	    project);

	bed_open(&bed);
	agent.name = name;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		CHECK_INT(mkdirat(bed.paths.state_fd, dirs[i], 0700), 0);
	CHECK_INT(knownprojects_add(&bed.paths, project, &dg), 0);
	CHECK_INT(seed(&bed, &agent, &dg), -1);
	CHECK_INT(dg.class, DIAG_POLICY);
	CHECK_STR(dg.message, want);
}

/* A snapshot whose .claude is a link leads nowhere else. */
static void
test_hostile_parent(void)
{
	cleanup_bed struct bed bed;
	char name[] = "claude";
	char link[] = ".claude/projects";
	struct agent agent = AGENT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct stat st;

	bed_open(&bed);
	agent.name = name;
	agent.history_link = link;
	CHECK_INT(mkdirat(bed.paths.state_fd, "elsewhere", 0700), 0);
	CHECK_INT(symlinkat("../elsewhere", bed.home_fd, ".claude"), 0);
	CHECK_INT(seed(&bed, &agent, &dg), -1);
	CHECK_INT(fstatat(bed.paths.state_fd, "elsewhere/projects", &st,
		      AT_SYMLINK_NOFOLLOW),
	    -1);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "the history is linked, its parents made 0700", test_link },
		{ "without a link and a snapshot the home stays empty",
		    test_no_link },
		{ "the snapshot is copied and yields to the link",
		    test_snapshot },
		{ "what newer rules leave out of an old snapshot stays away",
		    test_newer_rules },
		{ "home.d brings nothing that has another name",
		    test_other_names },
		{ "home.d's own files are for each agent", test_common_files },
		{ "caches are linked where nothing is", test_caches },
		{ "a token's document is completed", test_token_document },
		{ "home.d brings nothing out of a project",
		    test_project_within },
		{ "a link where a directory is due is an error",
		    test_hostile_parent },
		{ "what the image has no program for is left out",
		    test_programs },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
