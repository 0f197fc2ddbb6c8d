/* SPDX-License-Identifier: MIT */
/*
 * endpoint: finds the socket from the setting, DOCKER_HOST or a docker context.
 */
#include "engine/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"

#define DEFAULT_SOCKET "/var/run/docker.sock"
#define CONFIG_MAX ((size_t)1 << 20)

/* Returns the value of an environment variable; NULL if unset or empty. */
static const char *
env_get(const char *const *environ_, const char *name)
{
	const char *value = envp_get(environ_, name);

	return value != NULL && *value != '\0' ? value : NULL;
}

/*
 * Reads a JSON file of the docker CLI.  The file may be a symlink, for example
 * into the user's dotfiles.  *ret_root stays NULL if the file does not exist.
 */
static int
read_config(const char *path, struct json **ret_root, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd =
	    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int r;

	if (fd == -1) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return diag_set_errno(dg, DIAG_CONFIG, errno, "open %s", path);
	}
	r = fs_read_fd(fd, path, CONFIG_MAX, &text, dg);
	if (r == 0)
		r = json_parse(text.buf, text.len, path, ret_root, dg);
	if (r == -1)
		dg->class = DIAG_CONFIG;
	return r;
}

/* *ret_host is returned, and stays NULL for the default context. */
static int
read_context(
    const char *config_dir, const char *name, char **ret_host, struct diag *dg)
{
	char hex[DIGEST_HEX_SIZE];
	cleanup_free char *path = NULL;
	cleanup_json struct json *root = NULL;
	const char *host;

	if (strcmp(name, "default") == 0)
		return 0;
	digest_bytes(name, strlen(name), hex);
	path = xasprintf("%s/contexts/meta/%s/meta.json", config_dir, hex);
	if (read_config(path, &root, dg) != 0)
		return -1;
	if (root == NULL)
		return diag_set(dg, DIAG_CONFIG, "no docker context '%s' in %s",
		    name, config_dir);
	host = json_string(
	    json_get(json_get(json_get(root, "Endpoints"), "docker"), "Host"));
	if (host == NULL)
		return diag_set(dg, DIAG_CONFIG,
		    "docker context '%s' names no endpoint (%s)", name, path);
	*ret_host = xstrdup(host);
	return 0;
}

/* Reads the context selected by the environment or the user's config.json. */
static int
find_context(const char *home, const char *const *environ_, char **ret_host,
    char **ret_origin, struct diag *dg)
{
	const char *env_dir = env_get(environ_, "DOCKER_CONFIG");
	const char *name = env_get(environ_, "DOCKER_CONTEXT");
	cleanup_free char *dir =
	    env_dir != NULL ? xstrdup(env_dir) : xasprintf("%s/.docker", home);
	cleanup_free char *path = xasprintf("%s/config.json", dir);
	cleanup_json struct json *root = NULL;

	if (dir[0] != '/')
		return diag_set(
		    dg, DIAG_CONFIG, "DOCKER_CONFIG is not an absolute path");
	if (name == NULL) {
		if (read_config(path, &root, dg) != 0)
			return -1;
		name = json_string(json_get(root, "currentContext"));
	}
	if (name == NULL || *name == '\0')
		return 0;
	if (read_context(dir, name, ret_host, dg) != 0)
		return -1;
	if (*ret_host != NULL)
		*ret_origin = xasprintf("docker context '%s'", name);
	return 0;
}

/* *ret_path is the path of a unix:// URL, borrowed from url. */
static int
parse_url(
    const char *url, const char *origin, const char **ret_path, struct diag *dg)
{
	const char *colon = strstr(url, "://");
	int len = colon == NULL ? 0 : (int)(colon - url);

	/* The message has only the scheme: a URL may contain a password. */
	if (len > 0 && strncmp(url, "unix://", 7) != 0)
		return diag_set(dg, DIAG_ENGINE,
		    "%s names an engine by %.*s://: for now only unix sockets "
		    "of engines on this host work",
		    origin, len < 16 ? len : 16, url);
	if (len == 0)
		return diag_set(dg, DIAG_CONFIG,
		    "%s is not unix:///PATH: for now only unix sockets of "
		    "engines on this host work",
		    origin);
	if (url[7] != '/')
		return diag_set(dg, DIAG_CONFIG,
		    "%s names a socket by a relative path", origin);
	*ret_path = url + 7;
	return 0;
}

static int
resolve_socket(const char *path, struct endpoint *e, struct diag *dg)
{
	struct stat st;

	e->socket = realpath(path, NULL);
	if (e->socket == NULL && (errno == EACCES || errno == EPERM))
		return diag_set_errno(dg, DIAG_ENGINE, errno,
		    "reach the engine's socket %s (%s); ask for access to its "
		    "directory",
		    path, e->origin);
	if (e->socket == NULL && (errno == ENOENT || errno == ENOTDIR))
		return diag_set(dg, DIAG_ENGINE,
		    "no engine socket at %s (%s): start Docker (systemctl "
		    "start docker) or name one with --engine PATH"
		    " (or engine = PATH in drydock.conf)",
		    path, e->origin);
	if (e->socket == NULL || stat(e->socket, &st) == -1)
		return diag_set_errno(dg, DIAG_ENGINE, errno,
		    "find the engine's socket %s (%s)", path, e->origin);
	if (!S_ISSOCK(st.st_mode))
		return diag_set(dg, DIAG_ENGINE,
		    "%s (%s) is not a socket: name the engine's with --engine PATH"
		    " (or engine = PATH in drydock.conf)",
		    e->socket, e->origin);
	e->gid = st.st_gid;
	return 0;
}

int
endpoint_find(const char *setting, const char *home,
    const char *const *environ_, struct endpoint *ret_endpoint, struct diag *dg)
{
	cleanup_endpoint struct endpoint e = ENDPOINT_INIT;
	cleanup_free char *host = NULL;
	const char *env_host = env_get(environ_, "DOCKER_HOST");
	const char *path = DEFAULT_SOCKET;

	if (setting != NULL && *setting != '\0') {
		host = xstrdup(setting);
		e.origin = xstrdup("setting engine");
	} else if (env_host != NULL) {
		host = xstrdup(env_host);
		e.origin = xstrdup("DOCKER_HOST");
	} else if (find_context(home, environ_, &host, &e.origin, dg) != 0) {
		return -1;
	}
	if (host == NULL)
		e.origin = xstrdup("default");
	else if (setting != NULL && *setting == '/')
		path = host;
	else if (parse_url(host, e.origin, &path, dg) != 0)
		return -1;
	if (resolve_socket(path, &e, dg) != 0)
		return -1;
	ret_endpoint->socket = steal_ptr(&e.socket);
	ret_endpoint->origin = steal_ptr(&e.origin);
	ret_endpoint->gid = e.gid;
	return 0;
}

void
endpoint_release(struct endpoint *endpoint)
{
	free(endpoint->socket);
	free(endpoint->origin);
	*endpoint = (struct endpoint)ENDPOINT_INIT;
}
