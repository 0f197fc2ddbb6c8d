/* SPDX-License-Identifier: MIT */
/* gitident: reads the user's own git configuration files with git. */
#include "host/gitident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "host/gitrepo.h"
#include "host/paths.h"
#include "host/program.h"
#include "host/sshproto.h"
#include "host/text.h"

/* An include may name a FIFO, on which git blocks. */
#define GIT_TIMEOUT_MS 5000
#define SAFE_MAX 100
#define PUBLIC_KEY_MAX ((size_t)16384)
#define GIT_MAX_OUTPUT ((size_t)64 << 10)

/*
 * Returns true for a value that is safe in a commit: one line, of bounded
 * length.
 */
static bool
is_identity(const char *value)
{
	size_t len = strlen(value);

	return len > 0 && len <= 512 && utf8_valid(value, len) &&
	    text_is_plain(value);
}

/* An empty value clears the list, as git does. */
static void
take_safe_directory(struct gitident *ident, const char *value)
{
	if (value[0] == '\0')
		strvec_release(&ident->safe);
	else if (strlen(value) < PATH_MAX && text_is_plain(value) &&
	    ident->safe.nr < SAFE_MAX)
		strvec_push(&ident->safe, value);
}

static bool
is_true(const char *value)
{
	return strcasecmp(value, "true") == 0 ||
	    strcasecmp(value, "yes") == 0 || strcasecmp(value, "on") == 0 ||
	    strcmp(value, "1") == 0;
}

/* The last value of a key wins. */
static void
take_value(struct gitident *ident, const char *key, const char *value)
{
	char **field = NULL;

	if (strcmp(key, "user.name") == 0)
		field = &ident->name;
	else if (strcmp(key, "user.email") == 0)
		field = &ident->email;
	else if (strcmp(key, "gpg.format") == 0)
		field = &ident->sign_format;
	else if (strcmp(key, "user.signingkey") == 0)
		field = &ident->sign_key;
	else if (strcmp(key, "commit.gpgsign") == 0)
		ident->sign_commits = is_true(value);
	else if (strcmp(key, "tag.gpgsign") == 0)
		ident->sign_tags = is_true(value);
	else if (strcmp(key, "safe.directory") == 0)
		take_safe_directory(ident, value);
	if (field == NULL || !is_identity(value))
		return;
	free(*field);
	*field = xstrdup(value);
}

/*
 * Reads one file per child: with two files, the result of --global depends on
 * git's version.  --file reads no other configuration, such as the project's.
 * `config` cannot be an alias, and no pager runs.
 */
static int
ask_git(struct gitident *ident, const char *git, const char *file,
    const char *const *envp, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	static const char names[] =
	    "^(user\\.(name|email|signingkey)|safe\\.directory|"
	    "gpg\\.format|(commit|tag)\\.gpgsign)$";
	const char *const argv[] = { git, "--no-pager", "config", "--file",
		file, "--includes", "--null", "--get-regexp", names, NULL };
	struct proc_spec spec = PROC_SPEC_INIT;

	spec.argv = argv;
	spec.envp = envp;
	spec.timeout_ms = GIT_TIMEOUT_MS;
	spec.max_output = GIT_MAX_OUTPUT;
	if (proc_run(&spec, &result, dg) != 0)
		return -1;
	if (result.timed_out)
		return diag_set(dg, DIAG_CONFIG,
		    "git did not read %s within %d seconds", file,
		    GIT_TIMEOUT_MS / 1000);
	/* Status 1: the file has none of the keys. */
	if (result.truncated || (result.status != 0 && result.status != 1)) {
		(void)diag_set(dg, DIAG_CONFIG, "git cannot read %s: %.*s",
		    file, (int)strcspn(result.err.buf, "\n"), result.err.buf);
		return -1;
	}
	/* "KEY\nVALUE\0"; a key without a value is a boolean and is skipped. */
	for (const char *at = result.out.buf;
	     at < result.out.buf + result.out.len; at += strlen(at) + 1) {
		const char *newline = strchr(at, '\n');
		cleanup_free char *key = NULL;

		if (newline == NULL)
			continue;
		key = xstrndup(at, (size_t)(newline - at));
		take_value(ident, key, newline + 1);
	}
	return 0;
}

int
gitident_load(struct gitident *ident, const struct paths *paths,
    const char *project, struct diag *dg)
{
	/* config_dir is $XDG_CONFIG_HOME/drydock. */
	int len = (int)(strrchr(paths->config_dir, '/') - paths->config_dir);
	cleanup_free char *xdg =
	    xasprintf("%.*s/git/config", len, paths->config_dir);
	cleanup_free char *own = xasprintf("%s/.gitconfig", paths->home);
	cleanup_free char *git_dir = gitrepo_find_dir(project);
	cleanup_free char *dir_env = xasprintf("GIT_DIR=%s", git_dir);
	cleanup_free char *home_env = xasprintf("HOME=%s", paths->home);
	cleanup_free char *xdg_env =
	    xasprintf("XDG_CONFIG_HOME=%.*s", len, paths->config_dir);
	static const char path[] = "PATH=" PROC_SYSTEM_PATH;
	const char *const files[] = { xdg, own };
	cleanup_free char *git = NULL;
	const char *const envp[] = { home_env, xdg_env, dir_env,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"LC_ALL=C", path, NULL };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (faccessat(AT_FDCWD, files[i], F_OK, AT_EACCESS) != 0 &&
		    (errno == ENOENT || errno == ENOTDIR))
			continue;
		if (git == NULL)
			git = program_find_system("git");
		if (git == NULL)
			return diag_set(dg, DIAG_CONFIG,
			    "it is not carried into the session, since git is "
			    "not installed (%s)",
			    PROC_SYSTEM_PATH);
		if (ask_git(ident, git, files[i], envp, dg) != 0)
			return -1;
	}
	return 0;
}

static void
add_value(struct strbuf *out, const char *key, const char *value)
{
	if (value == NULL)
		return;
	strbuf_addf(out, "\t%s = ", key);
	strbuf_add_quoted(out, value);
	strbuf_addch(out, '\n');
}

/*
 * Reads the public key beside a private one, or the file itself if its name
 * says that it is public.
 */
static char *
read_public_key(const char *path, const struct paths *paths)
{
	static const char suffix[] = ".pub";
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	bool is_public = text_ends_with(path, suffix);
	cleanup_free char *file =
	    xasprintf("%s%s%s", strncmp(path, "~/", 2) == 0 ? paths->home : "",
		path[0] == '~' ? path + 1 : path, is_public ? "" : suffix);

	return file[0] == '/' && fs_try_read(file, PUBLIC_KEY_MAX, &text)
	    ? xstrdup(text.buf)
	    : NULL;
}

char *
gitident_signing_key(const struct gitident *ident, const struct paths *paths,
    const struct strvec *keys)
{
	static const char literal[] = "key::";
	char fingerprint[SSHPROTO_FINGERPRINT_SIZE];
	const char *value = ident->sign_key;
	cleanup_free char *text = NULL;
	size_t len;

	if (value == NULL || ident->sign_format == NULL ||
	    strcmp(ident->sign_format, "ssh") != 0)
		return NULL;
	if (strncmp(value, literal, sizeof(literal) - 1) == 0)
		text = xstrdup(value + sizeof(literal) - 1);
	else if (strncmp(value, "ssh-", 4) == 0)
		text = xstrdup(value);
	else
		text = read_public_key(value, paths);
	len = text == NULL ? 0 : sshproto_read_public(text, fingerprint);
	return len == 0 || !strvec_has(keys, fingerprint)
	    ? NULL
	    : xasprintf("%s%.*s", literal, (int)len, text);
}

void
gitident_write(
    const struct gitident *ident, const char *signing_key, struct strbuf *out)
{
	if (ident->name != NULL || ident->email != NULL || signing_key != NULL)
		strbuf_addstr(out, "[user]\n");
	add_value(out, "name", ident->name);
	add_value(out, "email", ident->email);
	add_value(out, "signingKey", signing_key);
	if (signing_key != NULL)
		strbuf_addf(out,
		    "[gpg]\n\tformat = ssh\n[commit]\n\tgpgSign = %s\n"
		    "[tag]\n\tgpgSign = %s\n",
		    ident->sign_commits ? "true" : "false",
		    ident->sign_tags ? "true" : "false");
	if (ident->safe.nr > 0)
		strbuf_addstr(out, "[safe]\n");
	for (size_t i = 0; i < ident->safe.nr; i++)
		add_value(out, "directory", ident->safe.v[i]);
}

void
gitident_release(struct gitident *ident)
{
	free(ident->name);
	free(ident->email);
	free(ident->sign_format);
	free(ident->sign_key);
	strvec_release(&ident->safe);
	*ident = (struct gitident)GITIDENT_INIT;
}
