/* SPDX-License-Identifier: MIT */
/* What a build's tar holds, whatever the installed files' modes are. */

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/build.h"
#include "engine/context.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/settings.h"
#include "host/toolchain.h"

#include "check.h"

static const struct {
	const char *path;
	const char *text;
} sources[] = {
	{ "images/agent/Dockerfile", "FROM x\n" },
	{ "images/egress/Dockerfile", "FROM y\n" },
	{ "images/lib/apt-install", "#!/bin/sh\n" },
	{ "holder", "\177ELF" },
};

static void
write_file(const char *root, const char *path, const char *text)
{
	cleanup_free char *full = xasprintf("%s/%s", root, path);
	cleanup_close int fd = -1;

	for (char *p = full + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		CHECK(mkdir(full, 0777) == 0 || errno == EEXIST);
		*p = '/';
	}
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	CHECK(fd != -1);
	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
}

/* An installation at name below the test's directory, made under mask. */
static struct paths
install_under(const char *name, mode_t mask)
{
	struct paths paths;
	mode_t old = umask(mask);
	char *root = xasprintf("%s/%s", check_tmpdir(), name);

	paths_init(&paths);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		write_file(root, sources[i].path, sources[i].text);
	(void)umask(old);
	paths.data_dir = root;
	paths.libexec_dir = xstrdup(root);
	return paths;
}

/* Lines "MODE OWNER TIME PATH" of a tar's entries. */
static void
list_tar(const struct strbuf *tar, struct strbuf *out)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;

	(void)archive_read_support_format_tar(a);
	CHECK_INT(archive_read_open_memory(a, tar->buf, tar->len), ARCHIVE_OK);
	while (archive_read_next_header(a, &e) == ARCHIVE_OK) {
		const char *user = archive_entry_uname(e);

		strbuf_addf(out, "%04o %d:%d%s %d %s\n",
		    (unsigned)archive_entry_perm(e), (int)archive_entry_uid(e),
		    (int)archive_entry_gid(e), user != NULL ? user : "",
		    (int)archive_entry_mtime(e), archive_entry_pathname(e));
	}
	(void)archive_read_free(a);
}

#define AGENT_PLAIN "{\"command\": [\"tool\"]}"
#define AGENT_GUARDED                                                   \
	"{\"command\": [\"tool\"], \"guardrails\": {\"dir\": "          \
	"\"/etc/tool\", \"files\": {\"managed-settings.d/20-b.json\": " \
	"\"{}\\n\", \"managed-settings.d/10-a.json\": \"{ }\\n\"}}}"

static void
parse_agent(struct agent *agent, const char *text)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!CHECK_INT(agent_parse(
			   agent, "tool", "tool.json", text, strlen(text), &dg),
		0))
		CHECK_STR(dg.message, "");
}

static int
pack(const char *kind, const struct paths *paths, struct strbuf *out,
    struct diag *dg)
{
	cleanup_context_files struct context_files *files = NULL;

	cleanup_agent struct agent agent = AGENT_INIT;

	if (context_read(paths, &files, dg) < 0)
		return -1;
	parse_agent(&agent, AGENT_GUARDED);
	return context_pack(
	    files, kind, strcmp(kind, "agent") == 0 ? &agent : NULL, out, dg);
}

static void
test_entries(void)
{
	cleanup_paths struct paths paths = install_under("a", 022);
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(pack("agent", &paths, &tar, &dg), 0);
	list_tar(&tar, &list);
	CHECK_STR(list.buf,
	    "0444 0:0 0 Dockerfile\n"
	    "0555 0:0 0 holder\n"
	    "0555 0:0 0 lib/\n"
	    "0555 0:0 0 lib/apt-install\n"
	    "0444 0:0 0 policy.sha256\n"
	    "0555 0:0 0 policy/\n"
	    "0555 0:0 0 policy/managed-settings.d/\n"
	    "0444 0:0 0 policy/managed-settings.d/10-a.json\n"
	    "0444 0:0 0 policy/managed-settings.d/20-b.json\n");
}

/* Of an older version, which a newer one was installed over. */
static void
test_left_over(void)
{
	cleanup_paths struct paths paths = install_under("a", 022);
	cleanup_paths struct paths older = install_under("b", 022);
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	write_file(older.data_dir,
	    "images/agent/policy/managed-settings.d/30-c.json", "{}\n");
	CHECK_INT(pack("agent", &paths, &tar, &dg), 0);
	CHECK_INT(pack("agent", &older, &again, &dg), 0);
	CHECK_INT(again.len, tar.len);
	CHECK(memcmp(again.buf, tar.buf, tar.len) == 0);
}

static void
test_manifest(void)
{
	cleanup_paths struct paths paths = install_under("a", 022);
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_strbuf struct strbuf want = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	char a[DIGEST_HEX_SIZE];
	char b[DIGEST_HEX_SIZE];

	digest_bytes("{ }\n", 4, a);
	digest_bytes("{}\n", 3, b);
	strbuf_addf(&want,
	    "# /etc/tool\n"
	    "%s  managed-settings.d/10-a.json\n"
	    "%s  managed-settings.d/20-b.json\n",
	    a, b);
	CHECK_INT(pack("agent", &paths, &tar, &dg), 0);
	CHECK(memmem(tar.buf, tar.len, want.buf, want.len) != NULL);
}

static void
test_egress(void)
{
	cleanup_paths struct paths paths = install_under("a", 022);
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(pack("egress", &paths, &tar, &dg), 0);
	list_tar(&tar, &list);
	CHECK_STR(list.buf,
	    "0444 0:0 0 Dockerfile\n"
	    "0555 0:0 0 holder\n"
	    "0555 0:0 0 lib/\n"
	    "0555 0:0 0 lib/apt-install\n");
}

static void
get_context(const struct paths *paths, const char *setting, const char *value,
    char ret_hex[DIGEST_HEX_SIZE], struct strbuf *parts)
{
	static const char text[] =
	    "{\"packages\": {\"default\": [\"gcc\"], \"x\": [\"tcc\"]}}";
	cleanup_agent struct agent agent = AGENT_INIT;
	struct toolchain tc = TOOLCHAIN_INIT;
	struct toolchains toolchains = { &tc, 1 };
	const struct toolchains none = TOOLCHAINS_INIT;
	struct build_recipe recipe = { NULL, &agent, &none, paths };
	cleanup_context_files struct context_files *files = NULL;
	cleanup_settings struct settings settings;
	cleanup_diag struct diag dg = DIAG_INIT;

	settings_init(&settings);
	recipe.settings = &settings;
	parse_agent(&agent, AGENT_PLAIN);
	if (setting != NULL && strcmp(setting, "agent") == 0) {
		agent_release(&agent);
		parse_agent(&agent, value);
		setting = NULL;
	}
	CHECK_INT(
	    toolchain_parse(&tc, "c", "c.json", text, strlen(text), &dg), 0);
	if (setting != NULL && strcmp(setting, "toolchains") == 0)
		recipe.toolchains = &toolchains;
	if (setting != NULL)
		CHECK_INT(settings_set(&settings, SETTINGS_OPTION, setting,
			      value, "test", &dg),
		    0);
	CHECK_INT(context_read(paths, &files, &dg), 0);
	CHECK_INT(build_context_digest(
		      BUILD_AGENT, &recipe, files, ret_hex, parts, &dg),
	    0);
	toolchain_release(&tc);
}

static void
get_digest(const struct paths *paths, const char *setting, const char *value,
    char ret_hex[DIGEST_HEX_SIZE])
{
	cleanup_strbuf struct strbuf parts = STRBUF_INIT;

	get_context(paths, setting, value, ret_hex, &parts);
}

static void
test_umask(void)
{
	static const mode_t masks[] = { 000, 022, 027, 077 };
	char first[DIGEST_HEX_SIZE] = "";

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		cleanup_free char *name = xasprintf("%03o", masks[i]);
		cleanup_paths struct paths paths =
		    install_under(name, masks[i]);
		mode_t old = umask(masks[i]);
		char hex[DIGEST_HEX_SIZE] = "";

		get_digest(&paths, NULL, NULL, hex);
		(void)umask(old);
		if (i == 0)
			memcpy(first, hex, sizeof(first));
		CHECK_STR(hex, first);
	}
}

static void
test_what_counts(void)
{
	cleanup_paths struct paths paths = install_under("a", 022);
	char plain[DIGEST_HEX_SIZE] = "";
	char other[DIGEST_HEX_SIZE] = "";

	get_digest(&paths, NULL, NULL, plain);
	get_digest(&paths, "base_image", "debian:13-slim", other);
	CHECK(strcmp(plain, other) != 0);
	get_digest(&paths, "packages", "make", other);
	CHECK(strcmp(plain, other) != 0);
	get_digest(&paths, "toolchains", "c", other);
	CHECK(strcmp(plain, other) != 0);
	get_digest(&paths, "agent", AGENT_GUARDED, other);
	CHECK(strcmp(plain, other) != 0);
	get_digest(&paths, "agent",
	    "{\"command\": [\"tool\"], \"npm\": [\"tool@1.0.0\"]}", other);
	CHECK(strcmp(plain, other) != 0);
	/* What runs is not what the image is made of. */
	get_digest(&paths, "agent", "{\"command\": [\"other\"]}", other);
	CHECK_STR(other, plain);
	get_digest(&paths, "memory", "1g", other);
	CHECK_STR(other, plain);
	write_file(paths.libexec_dir, "holder", "\177ELG");
	get_digest(&paths, NULL, NULL, other);
	CHECK(strcmp(plain, other) != 0);
}

static void
test_difference(void)
{
	static const struct {
		const char *setting, *value, *words;
	} rows[] = {
		{ NULL, NULL, "" },
		{ "memory", "1g", "" },
		{ "base_image", "debian:13-slim", "base_image" },
		{ "packages", "make", "packages" },
		{ "toolchains", "c", "the toolchains' packages" },
		{ "agent", AGENT_GUARDED, "the files that drydock installs" },
		{ "agent", "{\"command\": [\"x\"], \"npm\": [\"x@1.0.0\"]}",
		    "the agent's npm packages" },
	};
	cleanup_paths struct paths paths = install_under("a", 022);
	cleanup_strbuf struct strbuf plain = STRBUF_INIT;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	char hex[DIGEST_HEX_SIZE];

	get_context(&paths, NULL, NULL, hex, &plain);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf parts = STRBUF_INIT;
		cleanup_strbuf struct strbuf words = STRBUF_INIT;

		get_context(
		    &paths, rows[i].setting, rows[i].value, hex, &parts);
		build_parts_compare(plain.buf, parts.buf, &words);
		CHECK_STR(words.buf, rows[i].words);
	}
	/* A part that another version records is a difference. */
	build_parts_compare("files=a base=b", "files=a base=c agent=d", &all);
	CHECK(strncmp(all.buf, "base_image, the agent's", 23) == 0);
}

static void
test_refused(void)
{
	cleanup_paths struct paths paths = install_under("a", 022);
	cleanup_free char *link =
	    xasprintf("%s/images/agent/link", paths.data_dir);
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(symlink("/etc/passwd", link), 0);
	CHECK_INT(pack("agent", &paths, &tar, &dg), -1);
	CHECK_INT(dg.class, DIAG_IO);
	CHECK(dg.message != NULL && strstr(dg.message, "link") != NULL);
	diag_clear(&dg);
	CHECK_INT(unlink(link), 0);
	CHECK_INT(mkfifo(link, 0600), 0);
	CHECK_INT(pack("agent", &paths, &tar, &dg), -1);
	CHECK_INT(dg.class, DIAG_IO);
	diag_clear(&dg);
	CHECK_INT(unlink(link), 0);
	CHECK_INT(pack("none", &paths, &tar, &dg), -1);
	CHECK_INT(dg.errnum, ENOENT);
	CHECK(dg.message != NULL && strstr(dg.message, "images/none") != NULL);
	diag_clear(&dg);
	free(paths.libexec_dir);
	paths.libexec_dir = xasprintf("%s/images", paths.data_dir);
	CHECK_INT(pack("agent", &paths, &tar, &dg), -1);
	CHECK_INT(dg.errnum, ENOENT);
	CHECK(dg.message != NULL && strstr(dg.message, "holder") != NULL);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "every entry has a mode, owner and time of ours",
		    test_entries },
		{ "the manifest names each policy file, sorted",
		    test_manifest },
		{ "guardrails that an older version installed are left out",
		    test_left_over },
		{ "an image without a policy has no manifest", test_egress },
		{ "the digest is the same under every umask", test_umask },
		{ "the digest follows sources, holder, base, toolchains and "
		  "packages",
		    test_what_counts },
		{ "what differs between contexts is named", test_difference },
		{ "links, fifos and a missing holder are named", test_refused },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
