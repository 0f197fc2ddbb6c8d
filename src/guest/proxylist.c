/* SPDX-License-Identifier: MIT */
/* proxylist: reads the compiled allowlist, and matches requests exactly. */
#include "guest/proxylist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

enum {
	WORDS = 5
};

void
proxylist_release(struct proxylist *list)
{
	free(list->v);
	free(list->own);
	free(list->parent.host);
	*list = (struct proxylist)PROXYLIST_INIT;
}

/* *ret_there is false if the file is absent. */
static int
read_file(int dir_fd, const char *name, struct strbuf *out, bool *ret_there,
    struct diag *dg)
{
	char buf[4096];
	ssize_t n = 0;
	cleanup_close int fd =
	    openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	*ret_there = fd != -1;
	if (fd == -1 && errno == ENOENT)
		return 0;
	while (fd != -1 && (n = read(fd, buf, sizeof(buf))) > 0) {
		strbuf_add(out, buf, (size_t)n);
		if (out->len > PROXYLIST_MAX)
			return diag_set(dg, DIAG_DATA,
			    "%s is larger than %zu bytes", name, PROXYLIST_MAX);
	}
	if (fd == -1 || n == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "read %s", name);
	return 0;
}

/* The host must stand in the form that a request's host is brought to. */
static bool
parse_target(const char *host, const char *port, struct proxytarget *ret)
{
	cleanup_free char *text = xasprintf("%s:%s", host, port);
	return proxytarget_parse(text, ret) && strcmp(ret->host, host) == 0;
}

/* Chooses between two words. */
static bool
parse_word(const char *word, const char *no, const char *yes, bool *ret)
{
	*ret = strcmp(word, yes) == 0;
	return *ret || strcmp(word, no) == 0;
}

static bool
parse_line(char *line, struct proxyline *ret)
{
	char *word[WORDS];
	bool http;
	bool is_address;
	for (size_t i = 0; i < WORDS; i++) {
		word[i] = strsep(&line, " ");
		if (word[i] == NULL)
			return false;
	}
	is_address = strcmp(word[1], PROXYLIST_ADDRESS) == 0;
	if (line != NULL ||
	    !parse_word(word[0], PROXYLIST_CONNECT, PROXYLIST_HTTP, &http) ||
	    (!is_address &&
		!parse_word(
		    word[1], PROXYLIST_NAME, PROXYLIST_BELOW, &ret->below)) ||
	    !parse_target(word[2], word[3], &ret->target) ||
	    !(is_address ? ret->target.is_address : ret->target.is_name) ||
	    !parse_word(
		word[4], PROXYLIST_PUBLIC, PROXYLIST_PRIVATE, &ret->private_ok))
		return false;
	ret->target.http = http;
	return true;
}

/* Calls take for each line that is no comment; line is changeable. */
static int
each_line(struct proxylist *list, const char *name, const char *text,
    size_t len, bool (*take)(struct proxylist *list, char *line),
    struct diag *dg)
{
	cleanup_free char *copy = xstrndup(text, len);
	char *rest = copy;
	char *line;
	if (strlen(copy) != len)
		return diag_set(dg, DIAG_DATA, "%s has a NUL", name);
	if (len > 0 && text[len - 1] != '\n')
		return diag_set(dg, DIAG_DATA, "%s is cut off", name);
	for (size_t nr = 1; (line = strsep(&rest, "\n")) != NULL; nr++)
		if (*line != '\0' && *line != '#' && !take(list, line))
			return diag_set(
			    dg, DIAG_DATA, "%s:%zu: not understood", name, nr);
	return 0;
}

static bool
take_host(struct proxylist *list, char *line)
{
	struct proxyline parsed = { .below = false };
	if (!parse_line(line, &parsed))
		return false;
	list->v = xreallocarray(list->v, list->nr + 1, sizeof(*list->v));
	list->v[list->nr++] = parsed;
	return true;
}

static bool
take_address(struct proxylist *list, char *line)
{
	struct proxyaddr parsed;
	if (!proxyaddr_parse(line, &parsed))
		return false;
	list->own =
	    xreallocarray(list->own, list->nown + 1, sizeof(*list->own));
	list->own[list->nown++] = parsed;
	return true;
}

static bool
take_parent(struct proxylist *list, char *line)
{
	const char *host = strsep(&line, " ");
	const char *port = strsep(&line, " ");
	struct proxytarget target;
	if (list->parent.host != NULL || port == NULL || line != NULL ||
	    !parse_target(host, port, &target) ||
	    (!target.is_name && !target.is_address))
		return false;
	list->parent.host = xstrdup(host);
	list->parent.port = target.port;
	return true;
}

int
proxylist_parse_hosts(
    struct proxylist *list, const char *text, size_t len, struct diag *dg)
{
	return each_line(list, PROXYLIST_HOSTS, text, len, take_host, dg);
}

static int
read_all(int dir_fd, struct proxylist *list, struct diag *dg)
{
	static const struct {
		const char *name;
		bool (*take)(struct proxylist *list, char *line);
		bool may_be_absent;
	} files[] = {
		{ PROXYLIST_HOSTS, take_host, false },
		{ PROXYLIST_ADDRESSES, take_address, false },
		{ PROXYLIST_PARENT, take_parent, true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		const char *name = files[i].name;
		bool there;
		if (read_file(dir_fd, name, &text, &there, dg) != 0)
			return -1;
		if (!there && !files[i].may_be_absent)
			return diag_set(dg, DIAG_DATA, "there is no %s", name);
		if (each_line(
			list, name, text.buf, text.len, files[i].take, dg) != 0)
			return -1;
		/* An empty file must not lead past the upstream proxy. */
		if (files[i].take == take_parent && there &&
		    list->parent.host == NULL)
			return diag_set(dg, DIAG_DATA, "%s is empty", name);
	}
	return 0;
}

int
proxylist_read(int dir_fd, struct proxylist *ret_list, struct diag *dg)
{
	*ret_list = (struct proxylist)PROXYLIST_INIT;
	if (read_all(dir_fd, ret_list, dg) == 0)
		return 0;
	proxylist_release(ret_list);
	return -1;
}

static bool
has_host(const struct proxyline *line, const char *host)
{
	size_t len = strlen(host);
	size_t tail = strlen(line->target.host);
	if (!line->below)
		return strcmp(line->target.host, host) == 0;
	return len > tail + 1 && host[len - tail - 1] == '.' &&
	    strcmp(host + len - tail, line->target.host) == 0;
}

enum refusal_why
proxylist_judge(const struct proxylist *list, const struct proxytarget *target,
    bool *ret_private)
{
	enum refusal_why why = REFUSAL_LIST;
	*ret_private = false;
	/* Some texts only look like a host. */
	if (!target->is_name && !target->is_address)
		return REFUSAL_LIST;
	for (size_t i = 0; i < list->nr; i++) {
		const struct proxyline *line = &list->v[i];
		if (line->target.is_address != target->is_address ||
		    !has_host(line, target->host))
			continue;
		if (line->target.port != target->port ||
		    line->target.http != target->http) {
			if (why == REFUSAL_LIST)
				why = REFUSAL_PORT;
			continue;
		}
		why = REFUSAL_NONE;
		*ret_private = *ret_private || line->private_ok;
	}
	return why;
}
