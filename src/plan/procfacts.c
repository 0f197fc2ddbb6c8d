/* SPDX-License-Identifier: MIT */
/* procfacts: parses the files of proc(5) of one process. */
#include "plan/procfacts.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

const char *
proc_ns_name(enum proc_ns ns)
{
	static const char *const names[PROC_NNS] = {
		[PROC_NS_NET] = "net",
		[PROC_NS_PID] = "pid",
		[PROC_NS_IPC] = "ipc",
		[PROC_NS_UTS] = "uts",
		[PROC_NS_MNT] = "mnt",
		[PROC_NS_USER] = "user",
	};

	return names[ns];
}

const char *
proc_cap_name(enum proc_cap cap)
{
	static const char *const names[PROC_NCAPS] = {
		[PROC_CAP_INH] = "CapInh",
		[PROC_CAP_PRM] = "CapPrm",
		[PROC_CAP_EFF] = "CapEff",
		[PROC_CAP_BND] = "CapBnd",
		[PROC_CAP_AMB] = "CapAmb",
	};

	return names[cap];
}

/* Returns the text after "NAME:" at the start of a line, or NULL. */
static const char *
find_line(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; *line != '\0';) {
		const char *end = strchr(line, '\n');

		if (strncmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1;
		if (end == NULL)
			break;
		line = end + 1;
	}
	return NULL;
}

/*
 * Parses one number and moves *at past it.  Never reads past the end of the
 * line.
 */
static bool
take_number(const char **at, int base, uint64_t *ret_value)
{
	const char *s = *at;
	char *end;

	while (*s == ' ' || *s == '\t')
		s++;
	if (*s == '\n' || *s == '\0' || *s == '-' || *s == '+')
		return false;
	errno = 0;
	*ret_value = strtoull(s, &end, base);
	if (errno != 0 || end == s ||
	    (*end != ' ' && *end != '\t' && *end != '\n' && *end != '\0'))
		return false;
	*at = end;
	return true;
}

static int
cannot_read(const char *what, struct diag *dg)
{
	return diag_set(
	    dg, DIAG_POLICY, "/proc/PID/status: %s cannot be read", what);
}

/* uid_t and gid_t are the same 32-bit type. */
static int
parse_ids(const char *text, const char *name, uid_t ids[4], struct diag *dg)
{
	const char *at = find_line(text, name);

	for (int i = 0; i < 4; i++) {
		uint64_t value;

		if (at == NULL || !take_number(&at, 10, &value) ||
		    value > UINT32_MAX)
			return cannot_read(name, dg);
		ids[i] = (uid_t)value;
	}
	return 0;
}

static int
parse_groups(const char *text, struct proc_status *status, struct diag *dg)
{
	const char *at = find_line(text, "Groups");
	uint64_t value;

	if (at == NULL)
		return cannot_read("Groups", dg);
	status->ngroups = 0;
	while (take_number(&at, 10, &value)) {
		if (value > UINT32_MAX || status->ngroups == PROC_MAX_GROUPS)
			return cannot_read("Groups", dg);
		status->groups[status->ngroups++] = (gid_t)value;
	}
	at += strspn(at, " \t");
	return *at == '\n' || *at == '\0' ? 0 : cannot_read("Groups", dg);
}

/* Returns -1 if the line is missing or has no number. */
static int64_t
parse_small(const char *text, const char *name)
{
	const char *at = find_line(text, name);
	uint64_t value;

	if (at == NULL || !take_number(&at, 10, &value) || value > INT32_MAX)
		return -1;
	return (int64_t)value;
}

int
proc_parse_status(
    const char *text, struct proc_status *ret_status, struct diag *dg)
{
	struct proc_status status = { .ngroups = 0 };

	if (parse_ids(text, "Uid", status.uid, dg) != 0 ||
	    parse_ids(text, "Gid", status.gid, dg) != 0 ||
	    parse_groups(text, &status, dg) != 0)
		return -1;
	for (unsigned i = 0; i < PROC_NCAPS; i++) {
		const char *name = proc_cap_name((enum proc_cap)i);
		const char *at = find_line(text, name);

		if (at == NULL || !take_number(&at, 16, &status.caps[i]))
			return cannot_read(name, dg);
	}
	status.no_new_privs = parse_small(text, "NoNewPrivs");
	status.seccomp = parse_small(text, "Seccomp");
	status.seccomp_filters = parse_small(text, "Seccomp_filters");
	*ret_status = status;
	return 0;
}

static bool
is_octal(const char *s, const char *end)
{
	return end - s >= 4 && s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
	    s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7';
}

/* Returned: the text up to end; each \ooo of mountinfo is decoded. */
static char *
unescape(const char *s, const char *end)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	while (s < end) {
		if (is_octal(s, end)) {
			strbuf_addch(&sb,
			    (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 +
				(s[3] - '0')));
			s += 4;
		} else {
			strbuf_addch(&sb, *s++);
		}
	}
	return strbuf_detach(&sb, NULL);
}

enum {
	MOUNT_FIELD_ID = 0,
	MOUNT_FIELD_DEVICE = 2,
	MOUNT_FIELD_ROOT = 3,
	MOUNT_FIELD_TARGET = 4,
	MOUNT_FIELD_OPTIONS = 5,
	MOUNT_FIELDS = 6, /* before the optional fields */
	MOUNT_TAIL = 3, /* after the "-" */
};

/* Returns the next field without its blank, or false at the end of the line. */
static bool
next_field(const char **at, const char *eol, const char **s, const char **end)
{
	if (*at >= eol)
		return false;
	*s = *at;
	*end = memchr(*s, ' ', (size_t)(eol - *s));
	if (*end == NULL)
		*end = eol;
	*at = *end < eol ? *end + 1 : eol;
	return true;
}

static bool
parse_mount(const char *line, const char *eol, struct proc_mount *m)
{
	const char *at = line;
	const char *s;
	const char *end;

	for (int i = 0; i < MOUNT_FIELDS; i++) {
		if (!next_field(&at, eol, &s, &end))
			return false;
		if (i == MOUNT_FIELD_ID)
			m->id = strtoull(s, NULL, 10);
		else if (i == MOUNT_FIELD_DEVICE)
			m->device = unescape(s, end);
		else if (i == MOUNT_FIELD_ROOT)
			m->root = unescape(s, end);
		else if (i == MOUNT_FIELD_TARGET)
			m->target = unescape(s, end);
		else if (i == MOUNT_FIELD_OPTIONS)
			m->options = unescape(s, end);
	}
	do {
		if (!next_field(&at, eol, &s, &end))
			return false;
	} while (end - s != 1 || *s != '-');
	for (int i = 0; i < MOUNT_TAIL; i++) {
		if (!next_field(&at, eol, &s, &end))
			return false;
		if (i == 0)
			m->fstype = unescape(s, end);
		else if (i == 2)
			m->super = unescape(s, end);
	}
	return true;
}

static struct proc_mounts
steal_mounts(struct proc_mounts *mounts)
{
	struct proc_mounts taken = *mounts;

	*mounts = (struct proc_mounts){ NULL, 0 };
	return taken;
}

int
proc_parse_mounts(
    const char *text, struct proc_mounts *ret_mounts, struct diag *dg)
{
	cleanup_proc_mounts struct proc_mounts mounts = { NULL, 0 };
	size_t alloc = 0;

	for (const char *line = text; *line != '\0';) {
		const char *eol = line + strcspn(line, "\n");

		if (mounts.nr == PROC_MAX_MOUNTS)
			return diag_set(dg, DIAG_POLICY,
			    "/proc/PID/mountinfo: more than %d mounts",
			    PROC_MAX_MOUNTS);
		if (mounts.nr == alloc) {
			alloc = alloc * 2 + 32;
			mounts.v =
			    xreallocarray(mounts.v, alloc, sizeof(*mounts.v));
		}
		mounts.v[mounts.nr] = (struct proc_mount){ .root = NULL };
		if (!parse_mount(line, eol, &mounts.v[mounts.nr++]))
			return diag_set(dg, DIAG_POLICY,
			    "/proc/PID/mountinfo: line %zu cannot be read",
			    mounts.nr);
		line = *eol == '\n' ? eol + 1 : eol;
	}
	*ret_mounts = steal_mounts(&mounts);
	return 0;
}

int
proc_parse_devices(
    const char *text, struct strvec *ret_devices, struct diag *dg)
{
	int number = 0;

	for (const char *line = text; *line != '\0'; number++) {
		const char *eol = line + strcspn(line, "\n");
		const char *name = line + strspn(line, " \t");
		const char *colon = memchr(name, ':', (size_t)(eol - name));

		/* The first two lines are headings. */
		if (number >= 2) {
			if (colon == NULL)
				return diag_set(dg, DIAG_POLICY,
				    "/proc/PID/net/dev cannot be read");
			strvec_push_given(ret_devices,
			    xstrndup(name, (size_t)(colon - name)));
		}
		line = *eol == '\n' ? eol + 1 : eol;
	}
	if (number < 2)
		return diag_set(
		    dg, DIAG_POLICY, "/proc/PID/net/dev cannot be read");
	return 0;
}

/*
 * A local address has two lines: "|-- 10.0.0.2", then "/32 host LOCAL".  Each
 * address is in the trie twice.
 */
void
proc_parse_addresses(const char *text, struct strvec *ret_addresses)
{
	const char *address = NULL;
	size_t len = 0;

	for (const char *line = text; *line != '\0';) {
		const char *eol = line + strcspn(line, "\n");
		const char *word = line + strspn(line, " ");

		if (strncmp(word, "|-- ", 4) == 0) {
			address = word + 4;
			len = (size_t)(eol - address);
		} else if (address != NULL &&
		    strncmp(word, "/32 host LOCAL", 14) == 0 &&
		    strncmp(address, "127.", 4) != 0) {
			cleanup_free char *own = xstrndup(address, len);

			if (!strvec_has(ret_addresses, own))
				strvec_push(ret_addresses, own);
		}
		line = *eol == '\n' ? eol + 1 : eol;
	}
}

/*
 * From net/ipv4/ipip.c, net/ipv6/sit.c, net/ipv4/ip_gre.c and similar files of
 * the kernel.  The types are from if_arp.h.
 */
static const struct {
	const char *name;
	const char *type;
} fallback_devices[] = {
	{ "tunl0", "768\n" },
	{ "sit0", "776\n" },
	{ "gre0", "778\n" },
	{ "gretap0", "1\n" },
	{ "erspan0", "1\n" },
	{ "ip_vti0", "768\n" },
	{ "ip6tnl0", "769\n" },
	{ "ip6gre0", "823\n" },
	{ "ip6_vti0", "769\n" },
};

/* The last column of if_inet6 is the device name. */
static bool
has_inet6(const char *inet6, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = inet6; *line != '\0';) {
		const char *eol = line + strcspn(line, "\n");

		if ((size_t)(eol - line) > len &&
		    eol[-(ptrdiff_t)len - 1] == ' ' &&
		    strncmp(eol - len, name, len) == 0)
			return true;
		line = *eol == '\n' ? eol + 1 : eol;
	}
	return false;
}

bool
proc_device_is_idle_fallback(const struct proc_device *device)
{
	char *end;
	unsigned long flags;
	size_t i = 0;

	while (i < ARRAY_SIZE(fallback_devices) &&
	    strcmp(fallback_devices[i].name, device->name) != 0)
		i++;
	if (i == ARRAY_SIZE(fallback_devices) ||
	    strcmp(fallback_devices[i].type, device->type) != 0)
		return false;
	errno = 0;
	flags = strtoul(device->flags, &end, 16);
	if (errno != 0 || end == device->flags || *end != '\n' ||
	    (flags & (IFF_UP | IFF_RUNNING)) != 0)
		return false;
	return device->address[0] == '0' &&
	    device->address[strspn(device->address, "0:\n")] == '\0' &&
	    !has_inet6(device->inet6, device->name);
}

static bool
has_word(const char *s, const char *end, const char *word)
{
	size_t len = strlen(word);

	while (s < end) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		size_t n = (size_t)((comma != NULL ? comma : end) - s);

		if (n == len && memcmp(s, word, len) == 0)
			return true;
		if (comma == NULL)
			break;
		s = comma + 1;
	}
	return false;
}

bool
proc_has_option(const char *options, const char *word)
{
	return has_word(options, options + strlen(options), word);
}

bool
proc_find_cgroup(const char *text, const char *controller, struct strbuf *path)
{
	for (const char *line = text; *line != '\0';) {
		const char *eol = line + strcspn(line, "\n");
		const char *names = memchr(line, ':', (size_t)(eol - line));
		const char *at = names == NULL
		    ? NULL
		    : memchr(names + 1, ':', (size_t)(eol - names - 1));

		if (at != NULL &&
		    (controller == NULL
			    ? at == names + 1
			    : has_word(names + 1, at, controller))) {
			strbuf_add(path, at + 1, (size_t)(eol - at - 1));
			return true;
		}
		line = *eol == '\n' ? eol + 1 : eol;
	}
	return false;
}

void
proc_mounts_release(struct proc_mounts *mounts)
{
	for (size_t i = 0; i < mounts->nr; i++) {
		free(mounts->v[i].device);
		free(mounts->v[i].root);
		free(mounts->v[i].target);
		free(mounts->v[i].options);
		free(mounts->v[i].fstype);
		free(mounts->v[i].super);
	}
	free(mounts->v);
	mounts->v = NULL;
	mounts->nr = 0;
}

void
proc_facts_release(struct proc_facts *facts)
{
	proc_mounts_release(&facts->mounts);
	strvec_release(&facts->devices);
	strvec_release(&facts->addresses);
	free(facts->uid_map);
	facts->uid_map = NULL;
	cleanup_close_fn(&facts->root_fd);
	cleanup_close_fn(&facts->proc_fd);
}
