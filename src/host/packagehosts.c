/* SPDX-License-Identifier: MIT */
/* packagehosts: reads the files of npm and apt that name hosts. */
#include "host/packagehosts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/aptsources.h"
#include "host/npmrc.h"
#include "host/paths.h"
#include "host/text.h"
#include "host/trusted.h"

#define TEXT_MAX ((size_t)256 * 1024)
#define NPM_DEFAULT "npm-registry" /* in the state directory */
#define URL_MAX 1024
#define APT_DIR "/etc/apt"
#define APT_PARTS "sources.list.d"

/* Returned: the host of a URL as a line of an allowlist, or NULL. */
static char *
line_of_url(const char *url)
{
	static const char http[] = "http://";
	static const char https[] = "https://";
	bool plain = strncasecmp(url, http, strlen(http)) == 0;
	const char *at;

	if (!plain && strncasecmp(url, https, strlen(https)) != 0)
		return NULL;
	at = url + (plain ? strlen(http) : strlen(https));
	cleanup_free char *host = xstrndup(at, strcspn(at, "/?#"));
	const char *user = strrchr(host, '@');

	return xasprintf(
	    "%s%s", plain ? http : "", user != NULL ? user + 1 : host);
}

static void
add_url(struct packagehosts *p, const char *url, const char *file)
{
	char *line = line_of_url(url);

	if (line == NULL) {
		strvec_pushf(&p->notes,
		    "%s names a package source that is not "
		    "reached by http or https",
		    file);
	} else if (strvec_has(&p->lines, line)) {
		free(line);
	} else {
		strvec_push_given(&p->lines, line);
		strvec_push(&p->files, file);
	}
}

/* Appends the file; nothing if it is absent. */
static int
read_file(const struct paths *paths, const char *dir, const char *name,
    struct strbuf *text, struct diag *dg)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, name);
	cleanup_close int fd = -1;

	if (trusted_open(paths, dir, name, 0, &fd, dg) != 0 ||
	    (fd >= 0 && trusted_read(fd, path, TEXT_MAX, text, dg) != 0))
		return -1;
	return 0;
}

/*
 * Takes "registry=URL" and "@scope:registry=URL" out of a file, and notes the
 * file by the same name.  The last of a name counts.
 */
static void
take_registries(struct strvec *urls, struct strvec *files, const char *text,
    const char *file)
{
	cleanup_strbuf struct strbuf settings = STRBUF_INIT;
	cleanup_strvec struct strvec lines = STRVEC_INIT;
	cleanup_free char *cafile = NULL;

	npmrc_parse(text, NULL, &settings, &cafile);
	strvec_split(&lines, settings.buf, '\n');
	for (size_t i = 0; i < lines.nr; i++) {
		char *line = lines.v[i];
		char *equals = strchr(line, '=');

		if (equals == NULL)
			continue;
		*equals = '\0';
		if (strcmp(line, "registry") != 0 && *line != '@')
			continue;
		strvec_setenv(urls, line, equals + 1);
		strvec_setenv(files, line, file);
	}
}

/*
 * Adds a registry to the settings for a session's npm, without the login in its
 * URL.  Skips a value that is not an http or https URL, or not printable.
 */
static void
add_setting(struct packagehosts *p, const char *name, const char *url)
{
	cleanup_free char *line = line_of_url(url);
	const char *at = strstr(url, "://");

	if (line == NULL || !text_is_plain(name) || !text_is_plain(url))
		return;
	at += strlen("://");
	strvec_pushf(&p->settings, "%s=%s%s%s", name,
	    strncmp(line, "http://", strlen("http://")) == 0 ? "" : "https://",
	    line, at + strcspn(at, "/?#"));
}

static int
read_npm_default(
    struct packagehosts *p, const struct paths *paths, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (paths->state_dir != NULL &&
	    read_file(paths, paths->state_dir, NPM_DEFAULT, &text, dg) != 0)
		return -1;
	if (text.len > 0)
		add_url(p, text.buf, "npm's default");
	else
		strvec_push(&p->notes,
		    "neither ~/.npmrc nor /etc/npmrc names a registry: allow "
		    "the host that \"npm config get registry\" prints");
	return 0;
}

int
packagehosts_keep_npm(
    const struct paths *paths, const char *url, struct diag *dg)
{
	cleanup_free char *line = line_of_url(url);

	if (line == NULL || strlen(url) > URL_MAX || !text_is_plain(url))
		return diag_set(dg, DIAG_DATA,
		    "npm's default registry \"%.80s\" is not a URL", url);
	return fs_replace_file(
	    paths->state_fd, NPM_DEFAULT, url, strlen(url), 0600, dg);
}

static int
read_npm(struct packagehosts *p, const struct paths *paths, struct diag *dg)
{
	const char *const dirs[] = { "/etc", paths->home };
	static const char *const names[] = { "npmrc", ".npmrc" };
	cleanup_strvec struct strvec urls = STRVEC_INIT;
	cleanup_strvec struct strvec files = STRVEC_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_free char *file =
		    xasprintf("%s/%s", i == 0 ? dirs[i] : "~", names[i]);

		if (dirs[i] == NULL)
			continue;
		if (read_file(paths, dirs[i], names[i], &text, dg) != 0)
			return -1;
		take_registries(&urls, &files, text.buf, file);
	}
	for (size_t i = 0; i < urls.nr; i++) {
		const char *url = strchr(urls.v[i], '=') + 1;
		cleanup_free char *name =
		    xstrndup(urls.v[i], (size_t)(url - urls.v[i] - 1));

		add_url(p, url, envp_get((const char *const *)files.v, name));
		add_setting(p, name, url);
	}
	return envp_get((const char *const *)urls.v, "registry") == NULL
	    ? read_npm_default(p, paths, dg)
	    : 0;
}

static int
read_apt_file(struct packagehosts *p, const struct paths *paths,
    const char *name, struct diag *dg)
{
	cleanup_free char *file = xasprintf(APT_DIR "/%s", name);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	if (read_file(paths, APT_DIR, name, &text, dg) != 0)
		return -1;
	aptsources_parse(name, text.buf, "", &lines);
	for (size_t i = 0; i < lines.nr; i++) {
		const char *uri = strchr(lines.v[i], '|') + 1;
		cleanup_free char *url = xstrndup(uri, strcspn(uri, " "));

		add_url(p, url, file);
	}
	return 0;
}

static int
read_apt(struct packagehosts *p, const struct paths *paths, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = -1;

	if (read_apt_file(p, paths, "sources.list", dg) != 0 ||
	    trusted_open(
		paths, APT_DIR, APT_PARTS, TRUSTED_DIRECTORY, &fd, dg) != 0 ||
	    (fd >= 0 &&
		fs_list_names(fd, APT_DIR "/" APT_PARTS, &names, dg) != 0))
		return -1;
	strvec_sort(&names);
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *name =
		    xasprintf(APT_PARTS "/%s", names.v[i]);

		if (aptsources_is_name(name) &&
		    read_apt_file(p, paths, name, dg) != 0)
			return -1;
	}
	if (p->lines.nr == 0)
		strvec_push(&p->notes,
		    "apt on this host has no mirror: allow the hosts of the "
		    "session's /etc/apt/sources.list");
	return 0;
}

int
packagehosts_read(struct packagehosts *ret, const char *manager,
    const struct paths *paths, struct diag *dg)
{
	if (strcmp(manager, "npm") == 0)
		return read_npm(ret, paths, dg);
	if (strcmp(manager, "apt") == 0)
		return read_apt(ret, paths, dg);
	return diag_set(
	    dg, DIAG_CONFIG, "\"%s\" is not a package manager", manager);
}

void
packagehosts_release(struct packagehosts *p)
{
	strvec_release(&p->lines);
	strvec_release(&p->files);
	strvec_release(&p->notes);
	strvec_release(&p->settings);
}
