/* SPDX-License-Identifier: MIT */
/* What a container logged, and which Compose this is. */
#include "world.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"

/* Frames of 8 bytes and the text: which stream it is, and how long. */
void
world_logs(struct world *w)
{
	cleanup_free char *dir = world_container(w, w->subject);
	cleanup_free char *path = xasprintf("%s/log", dir);
	cleanup_free char *text = world_read(path, true);
	size_t len = text == NULL ? 0 : strlen(text);
	const unsigned char head[8] = { 1, 0, 0, 0, (unsigned char)(len >> 24),
		(unsigned char)(len >> 16), (unsigned char)(len >> 8),
		(unsigned char)len };

	if (access(dir, F_OK) != 0) {
		world_deny(w);
		return;
	}
	w->status = 200;
	if (len == 0)
		return;
	strbuf_add(&w->out, head, sizeof(head));
	strbuf_add(&w->out, text, len);
}

bool
world_command(struct world *w)
{
	if (strcmp(w->key, "compose-version") != 0)
		return false;
	strbuf_addstr(&w->out, "2.26.1\n");
	return true;
}
