/* SPDX-License-Identifier: MIT */
/* route: reads what the proxy tells of its name servers, and judges it. */
#include "session/route.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "guest/resolver.h"
#include "host/allowlist.h"
#include "host/settings.h"
#include "host/upstream.h"
#include "plan/role.h"
#include "session/session.h"

/* The value may hold a password: only a valid one is printed. */
static void
note_unused(const char *name, const char *value)
{
	bool valid = upstream_check(value) == NULL;

	diag_note("%s of this host is not used by the session; to use it run "
		  "\"drydock config set upstream_proxy %s\"",
	    name, valid ? value : "http://HOST:PORT");
}

void
route_note(const struct settings *settings, const char *const *environ_)
{
	static const char *const names[] = { "HTTPS_PROXY", "https_proxy" };
	cleanup_allow_entry struct allow_entry e = { .host = NULL };

	if (upstream_read(settings->upstream_proxy, &e)) {
		diag_note("its proxy connects through the upstream proxy %s:%u "
			  "alone, which resolves the names: drydock refuses "
			  "no private address then",
		    e.host, e.port);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = envp_get(environ_, names[i]);

		if (value != NULL && *value != '\0') {
			note_unused(names[i], value);
			return;
		}
	}
}

/* Only the proxy writes the file, and is not trusted. */
static int
read_file(const struct session *session, struct strbuf *text, bool *ret_known,
    struct diag *dg)
{
	cleanup_diag struct diag mine = DIAG_INIT;
	cleanup_close int fd = -1;

	*ret_known = false;
	if (session_open_mount(session, MOUNT_PROXY_LOG, &fd, dg) != 0)
		return -1;
	if (fs_read_file(fd, RESOLVER_FILE, RESOLVER_MAX, text, &mine) == 0) {
		*ret_known = true;
		return 0;
	}
	if (mine.errnum == ENOENT)
		return 0;
	diag_move(dg, &mine);
	return -1;
}

int
route_servers(const struct session *session, struct strvec *servers,
    bool *ret_known, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (read_file(session, &text, ret_known, dg) != 0)
		return -1;
	strvec_split(servers, text.buf, '\n');
	return 0;
}

static bool
needs_names(const struct allowlist *list, const struct settings *settings)
{
	cleanup_allow_entry struct allow_entry e = { .host = NULL };

	if (upstream_read(settings->upstream_proxy, &e))
		return e.kind != ALLOW_ADDRESS;
	for (size_t i = 0; i < list->nr; i++)
		if (list->v[i].kind != ALLOW_ADDRESS)
			return true;
	return false;
}

int
route_check(const struct session *session, const struct allowlist *list,
    const struct settings *settings, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec servers = STRVEC_INIT;
	cleanup_free char *names = NULL;
	bool known;

	if (read_file(session, &text, &known, dg) != 0)
		return -1;
	if (!known || resolver_usable(text.buf) || !needs_names(list, settings))
		return 0;
	strvec_split(&servers, text.buf, '\n');
	names = strvec_join(&servers, ", ");
	return diag_set(dg, DIAG_ENGINE,
	    "the session's proxy cannot resolve names: the engine gave its "
	    "container no name server%s%s%s; set \"dns\" "
	    "in the engine's daemon.json, or the setting upstream_proxy",
	    servers.nr > 0 ? " but " : "", names,
	    servers.nr > 0 ? ", where nothing answers" : "");
}
