/* SPDX-License-Identifier: MIT */
/* The file "ports" of a session: lines of "PORT HOSTPORT ERRNO". */
#include "session/portlist.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/decimal.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#define NAME "ports"
#define FILE_MAX ((size_t)4096)

int
port_parse(const char *text, struct port *ret, struct diag *dg)
{
	const char *colon = strchr(text, ':');
	cleanup_free char *inner = colon == NULL
	    ? xstrdup(text)
	    : xstrndup(text, (size_t)(colon - text));
	int64_t in;
	int64_t out;

	if (!decimal_parse(inner, 1, UINT16_MAX, &in) ||
	    !decimal_parse(
		colon == NULL ? inner : colon + 1, 0, UINT16_MAX, &out))
		return diag_set(dg, DIAG_USAGE,
		    "\"%s\" is not a port: PORT or PORT:HOSTPORT, from 1 to "
		    "65535",
		    text);
	*ret = (struct port){ (uint16_t)in, (uint16_t)out, 0 };
	return 0;
}

void
port_describe(const struct port *port, bool companion, struct strbuf *out)
{
	strbuf_addf(out, "%u at 127.0.0.1:%u", port->inner, port->outer);
	if (port->error != 0)
		strbuf_addf(out, ", not served: %s",
		    port->error == EADDRINUSE ? "the host's port is taken"
					      : strerror(port->error));
	else if (!companion)
		strbuf_addstr(out, ", not served: attach serves it again");
}

/* line is cut into its fields in place. */
static int
parse_line(char *line, struct portlist *list)
{
	const char *words[3];
	int64_t n[3];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = strsep(&line, " ");
	if (line != NULL || words[2] == NULL || list->nr == PORTLIST_MAX ||
	    !decimal_parse(words[0], 1, UINT16_MAX, &n[0]) ||
	    !decimal_parse(words[1], 1, UINT16_MAX, &n[1]) ||
	    !decimal_parse(words[2], 0, PORT_ERRNO_MAX, &n[2]) ||
	    portlist_find(list, (uint16_t)n[0]) != NULL)
		return -1;
	list->v[list->nr++] =
	    (struct port){ (uint16_t)n[0], (uint16_t)n[1], (int)n[2] };
	return 0;
}

int
portlist_read(int session_fd, struct portlist *ret, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag mine = DIAG_INIT;
	char *rest;

	ret->nr = 0;
	if (fs_read_file(session_fd, NAME, FILE_MAX, &text, &mine) != 0) {
		if (mine.errnum == ENOENT)
			return 0;
		diag_move(dg, &mine);
		return -1;
	}
	rest = text.buf;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line != '\0' && parse_line(line, ret) != 0)
			return diag_set(dg, DIAG_DATA, NAME ": malformed");
	return 0;
}

int
portlist_write(int session_fd, const struct portlist *list, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < list->nr; i++)
		strbuf_addf(&text, "%u %u %d\n", list->v[i].inner,
		    list->v[i].outer, list->v[i].error);
	return fs_replace_file(session_fd, NAME, text.buf, text.len, 0600, dg);
}

struct port *
portlist_find(struct portlist *list, uint16_t inner)
{
	for (size_t i = 0; i < list->nr; i++)
		if (list->v[i].inner == inner)
			return &list->v[i];
	return NULL;
}

void
portlist_drop(struct portlist *list, struct port *port)
{
	size_t at = (size_t)(port - list->v);

	list->nr--;
	memmove(port, port + 1, (list->nr - at) * sizeof(*port));
}
