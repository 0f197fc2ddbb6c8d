/* SPDX-License-Identifier: MIT */
/*
 * Numbers are those of xterm's ctlseqs (invisible-island.net/xterm/ctlseqs).
 * 2026 (synchronized output), 2031 (colour scheme reports), 2048 (size reports)
 * and 9001 (win32-input-mode) are from their terminals' specifications.  CSI u
 * is kitty's keyboard protocol.
 */
#include "terminal/termmodes.h"

#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "terminal/vt.h"

#define OFF UINT_MAX /* disabled, in modify and format */
#define TITLES_MAX 10U /* xterm's limit */

/* CSI ? n h sets a private mode, CSI n h any other mode. */
static const struct mode {
	unsigned short number;
	bool private;
	bool initial;
	bool reports; /* the terminal sends input that nobody typed */
} modes[] = {
	{ 1, true, false, false }, /* cursor keys */
	{ 5, true, false, false }, /* reverse video */
	{ 7, true, true, false }, /* lines wrap */
	{ 8, true, true, false }, /* keys repeat */
	{ 9, true, false, true }, /* mouse */
	{ 25, true, true, false }, /* cursor */
	{ 45, true, false, false }, /* reverse wrap */
	{ 66, true, false, false }, /* keypad; also ESC = and ESC > */
	{ 67, true, false, false }, /* what the backarrow key sends */
	{ 69, true, false, false }, /* left and right margins */
	{ 1000, true, false, true }, /* mouse */
	{ 1001, true, false, true }, { 1002, true, false, true },
	{ 1003, true, false, true }, { 1004, true, false, true }, /* focus */
	{ 1005, true, false, false }, /* encodings of the mouse */
	{ 1006, true, false, false }, { 1015, true, false, false },
	{ 1016, true, false, false },
	{ 2004, true, false, false }, /* bracketed paste */
	{ 2026, true, false, false }, /* synchronized output */
	{ 2031, true, false, true }, /* colour scheme reports */
	{ 2048, true, false, true }, /* size reports */
	{ 9001, true, false, true }, /* win32-input-mode */
	{ 2, false, false, false }, /* keyboard locked */
	{ 4, false, false, false }, /* insert */
	{ 12, false, true, false }, /* no local echo */
	{ 20, false, false, false }, /* newline */
};

#define MODES ARRAY_SIZE(modes)

/* Returns MODES if the table has no such mode. */
static size_t
find_mode(bool private, unsigned int number)
{
	size_t i = 0;
	while (i < MODES &&
	    (modes[i].private != private || modes[i].number != number))
		i++;
	return i;
}

static void
set_mode(struct termmodes *m, bool private, unsigned int number, bool on)
{
	size_t i = find_mode(private, number);
	if (i == MODES)
		return;
	uint32_t bit = (uint32_t)1 << i;
	m->changed &= ~bit;
	if (on != modes[i].initial)
		m->changed |= bit;
}

static struct termmodes_pen *
saved_pen(struct termmodes *m)
{
	return &m->saved_pen[m->alternate != 0];
}

static void
set_alternate(struct termmodes *m, unsigned int number, bool on)
{
	if (number == 1049 && on)
		m->saved_pen[0] = m->pen;
	m->alternate = on ? number : 0;
	if (number == 1049 && !on)
		m->pen = m->saved_pen[0];
}

static void
set_private(struct termmodes *m, unsigned int number, bool on)
{
	if (number == 6)
		m->pen.origin = on;
	else if (number == 47 || number == 1047 || number == 1049)
		set_alternate(m, number, on);
	else if (number == 1048 && on)
		*saved_pen(m) = m->pen;
	else if (number == 1048)
		m->pen = *saved_pen(m);
	else
		set_mode(m, true, number, on);
}

/* XTSAVE and XTRESTORE.  Restoring a mode that was never saved resets it. */
static void
save_modes(struct termmodes *m, const struct vt_csi *csi)
{
	for (size_t i = 0; i < csi->n; i++) {
		size_t mode = find_mode(true, csi->v[i]);
		if (mode == MODES)
			continue;
		uint32_t bit = (uint32_t)1 << mode;
		if (csi->final == 's')
			m->saved = (m->saved & ~bit) | (m->changed & bit);
		else
			m->changed = (m->changed & ~bit) | (m->saved & bit);
	}
}

static struct termmodes_keyboard *
keyboard(struct termmodes *m)
{
	return &m->keyboard[m->alternate != 0];
}

static void
push_keyboard(struct termmodes_keyboard *k, unsigned int flags)
{
	if (k->depth == TERMMODES_KEYBOARDS) {
		k->depth--;
		memmove(k->flags, k->flags + 1, k->depth * sizeof(*k->flags));
	}
	k->flags[k->depth++] = flags;
}

/* CSI > flags u pushes, CSI < n u pops, CSI = flags ; how u changes. */
static void
on_keyboard(struct termmodes *m, const struct vt_csi *csi)
{
	struct termmodes_keyboard *k = keyboard(m);
	if (csi->prefix == '>') {
		push_keyboard(k, csi->v[0]);
	} else if (csi->prefix == '<') {
		unsigned int n = csi->v[0] > 0 ? csi->v[0] : 1;
		/* Popping more entries than the stack has resets the flags. */
		if (n > k->depth)
			k->base = 0;
		k->depth -= n < k->depth ? n : k->depth;
	} else if (csi->prefix == '=') {
		unsigned int *flags =
		    k->depth > 0 ? &k->flags[k->depth - 1] : &k->base;
		unsigned int how = csi->n > 1 ? csi->v[1] : 1;
		if (how == 2)
			*flags |= csi->v[0];
		else if (how == 3)
			*flags &= ~csi->v[0];
		else
			*flags = csi->v[0];
	}
}

/*
 * CSI > p ; v m and CSI > p ; v f set a value, without v they reset it; CSI > p
 * n disables.
 */
static void
on_resource(struct termmodes *m, const struct vt_csi *csi)
{
	unsigned int *values = csi->final == 'f' ? m->format : m->modify;
	unsigned int p = csi->v[0];
	if (csi->n == 1 && p == 0 && csi->final != 'n') {
		memset(values, 0, TERMMODES_RESOURCES * sizeof(*values));
		return;
	}
	if (p >= TERMMODES_RESOURCES)
		return;
	if (csi->final == 'n')
		values[p] = OFF;
	else
		values[p] = csi->n > 1 ? csi->v[1] + 1 : 0;
}

/* DECSTR.  Modes that terminals treat differently stay as recorded. */
static void
soft_reset(struct termmodes *m)
{
	memset(&m->pen, 0, sizeof(m->pen));
	memset(saved_pen(m), 0, sizeof(m->pen));
	m->top = 0;
	m->bottom = 0;
	set_mode(m, true, 1, false);
	set_mode(m, true, 25, true);
	set_mode(m, true, 66, false);
	set_mode(m, false, 4, false);
}

static void
on_plain_csi(struct termmodes *m, const struct vt_csi *csi)
{
	switch (csi->final) {
	case 'h':
	case 'l':
		for (size_t i = 0; i < csi->n; i++)
			set_mode(m, false, csi->v[i], csi->final == 'h');
		break;
	case 'm':
		m->pen.colour = csi->n > 1 || csi->v[0] != 0;
		break;
	case 'r':
		m->top = csi->v[0];
		m->bottom = csi->n > 1 ? csi->v[1] : 0;
		break;
	case 's':
		*saved_pen(m) = m->pen;
		break;
	case 'u':
		m->pen = *saved_pen(m);
		break;
	case 'g':
		m->tabs = true;
		break;
	case 't':
		if (csi->v[0] == 22 && m->titles < TITLES_MAX)
			m->titles++;
		else if (csi->v[0] == 23 && m->titles > 0)
			m->titles--;
		break;
	default:
		break;
	}
}

static void
on_private_csi(struct termmodes *m, const struct vt_csi *csi)
{
	char final = csi->final;
	if (csi->prefix == '?' && (final == 'h' || final == 'l')) {
		for (size_t i = 0; i < csi->n; i++)
			set_private(m, csi->v[i], final == 'h');
	} else if (csi->prefix == '?' && (final == 's' || final == 'r')) {
		save_modes(m, csi);
	} else if (csi->prefix == '?' && final == 'W' && csi->v[0] == 5) {
		m->tabs = false;
	} else if (final == 'u') {
		on_keyboard(m, csi);
	} else if (csi->prefix == '>' &&
	    (final == 'm' || final == 'f' || final == 'n')) {
		on_resource(m, csi);
	}
}

static void
on_csi(struct termmodes *m, const struct vt_token *token)
{
	struct vt_csi csi;
	if (!vt_read_csi(token, &csi))
		return;
	const char *i = csi.intermediate;
	if (strcmp(i, "!") == 0 && csi.final == 'p' && csi.prefix == '\0')
		soft_reset(m);
	else if (strcmp(i, " ") == 0 && csi.final == 'q')
		m->cursor = csi.v[0];
	else if (strcmp(i, "\"") == 0 && csi.final == 'q')
		m->pen.guarded = csi.v[0] == 1;
	else if (i[0] == '\0' && csi.prefix == '\0')
		on_plain_csi(m, &csi);
	else if (i[0] == '\0')
		on_private_csi(m, &csi);
}

static void
on_escape(struct termmodes *m, const char *s, size_t len)
{
	static const char designate[] = "()*+";
	static const char designate96[] = "-./";
	const char *at;
	char final = s[len - 1];
	if (len > 1) {
		unsigned int set;
		if ((at = strchr(designate, s[0])) != NULL)
			set = (unsigned int)(at - designate);
		else if ((at = strchr(designate96, s[0])) != NULL)
			set = (unsigned int)(at - designate96) + 1;
		else
			return;
		bool ascii = len == 2 && final == 'B' && s[0] < '-';
		m->pen.sets[set] = (char)(ascii ? 0 : final);
		return;
	}
	switch (final) {
	case 'c':
		*m = (struct termmodes)TERMMODES_INIT;
		break;
	case '7':
		*saved_pen(m) = m->pen;
		break;
	case '8':
		m->pen = *saved_pen(m);
		break;
	case '=':
	case '>':
		set_mode(m, true, 66, final == '=');
		break;
	case 'H':
		m->tabs = true;
		break;
	case 'n':
	case 'o':
		m->pen.shift = final == 'n' ? 2 : 3;
		break;
	default:
		break;
	}
}

/*
 * Returns true if an OSC sets a colour.  A query has a question mark instead.
 */
static bool
sets_colour(const char *at, const char *end, bool indexed)
{
	for (bool index = indexed; at < end; index = indexed && !index) {
		const char *stop = memchr(at, ';', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);
		if (!index && (len != 1 || *at != '?'))
			return true;
		at += len + (stop != NULL);
	}
	return false;
}

/* The filter passed the number, so it has at most four digits. */
static void
on_osc(struct termmodes *m, const char *s, size_t len)
{
	const char *end = s + len;
	unsigned int number = 0;
	while (s < end && *s >= '0' && *s <= '9' && number < 10000)
		number = number * 10 + (unsigned int)(*s++ - '0');
	if (s < end && *s == ';')
		s++;
	if (number == 8) {
		const char *uri = memchr(s, ';', (size_t)(end - s));
		m->link = uri != NULL && uri + 1 < end;
	} else if (number == 4 || number == 5) {
		if (sets_colour(s, end, true))
			m->colours |= (uint32_t)1 << number;
	} else if (number >= 10 && number <= 19) {
		/* Each additional colour has the next number. */
		if (sets_colour(s, end, false))
			for (; number <= 19 && s != NULL; number++) {
				m->colours |= (uint32_t)1 << number;
				s = memchr(s, ';', (size_t)(end - s));
				s = s != NULL ? s + 1 : NULL;
			}
	} else if (number >= 104 && number < 120 && s == end) {
		m->colours &= ~((uint32_t)1 << (number - 100));
	}
}

void
termmodes_note(struct termmodes *m, const struct vt_token *token)
{
	if (token->kind == VT_CSI)
		on_csi(m, token);
	else if (token->kind == VT_ESCAPE)
		on_escape(m, token->body, token->len);
	else if (token->kind == VT_OSC)
		on_osc(m, token->body, token->len);
	else if (token->kind == VT_CONTROL && token->body[0] == '\016')
		m->pen.shift = 1;
	else if (token->kind == VT_CONTROL && token->body[0] == '\017')
		m->pen.shift = 0;
}

bool
termmodes_reports(const struct termmodes *m)
{
	for (size_t i = 0; i < MODES; i++)
		if (modes[i].reports && (m->changed >> i & 1) != 0)
			return true;
	return m->keyboard[0].depth > 0 || m->keyboard[0].base != 0 ||
	    m->keyboard[1].depth > 0 || m->keyboard[1].base != 0;
}

static void
undo_keyboard(const struct termmodes_keyboard *k, struct strbuf *out)
{
	if (k->depth > 0)
		strbuf_addf(out, "\033[<%uu", k->depth);
	if (k->base != 0)
		strbuf_addstr(out, "\033[=0u");
}

static void
add_mode(const struct mode *mode, bool on, struct strbuf *out)
{
	strbuf_addf(out, "\033[%s%u%c", mode->private ? "?" : "", mode->number,
	    on ? 'h' : 'l');
}

static void
undo_pen(const struct termmodes_pen *pen, struct strbuf *out)
{
	static const char designate[] = "()*+";
	for (size_t i = 0; i < ARRAY_SIZE(pen->sets); i++)
		if (pen->sets[i] != 0)
			strbuf_addf(out, "\033%cB", designate[i]);
	if (pen->shift != 0)
		strbuf_addch(out, '\017');
	if (pen->guarded)
		strbuf_addstr(out, "\033[0\"q");
	if (pen->colour)
		strbuf_addstr(out, "\033[0m");
}

/*
 * Resetting the region or origin mode moves the cursor.  DECSC and DECRC keep
 * the cursor, but not in origin mode, which they also save and restore.
 */
static void
undo_region(const struct termmodes *m, struct strbuf *out)
{
	bool region = m->top != 0 || m->bottom != 0;
	if (m->pen.origin)
		strbuf_addstr(out, "\033[r\033[?6l\033[9999;1H");
	else if (region)
		strbuf_addstr(out, "\0337\033[r\0338");
}

void
termmodes_undo(const struct termmodes *m, struct strbuf *out)
{
	struct termmodes left = *m;
	if (m->link)
		strbuf_addstr(out, "\033]8;;\033\\");
	if (m->alternate != 0) {
		if (m->top != 0 || m->bottom != 0)
			strbuf_addstr(out, "\033[r");
		undo_keyboard(&m->keyboard[1], out);
		strbuf_addf(out, "\033[?%ul", m->alternate);
		set_alternate(&left, m->alternate, false);
	} else if (m->keyboard[1].depth > 0 || m->keyboard[1].base != 0) {
		/* The next user of that screen would get its keyboard flags. */
		strbuf_addstr(out, "\033[?47h");
		undo_keyboard(&m->keyboard[1], out);
		strbuf_addstr(out, "\033[?47l");
	}
	undo_keyboard(&m->keyboard[0], out);
	for (size_t i = 0; i < MODES; i++)
		if ((m->changed >> i & 1) != 0)
			add_mode(&modes[i], modes[i].initial, out);
	for (unsigned int p = 0; p < TERMMODES_RESOURCES; p++) {
		if (m->modify[p] != 0) {
			strbuf_addf(out, "\033[>%um", p);
			/* Other terminals read it as an SGR. */
			left.pen.colour = true;
		}
		if (m->format[p] != 0)
			strbuf_addf(out, "\033[>%uf", p);
	}
	undo_region(&left, out);
	undo_pen(&left.pen, out);
	if (m->cursor != 0)
		strbuf_addstr(out, "\033[0 q");
	if (m->tabs)
		strbuf_addstr(out, "\033[?5W");
	for (unsigned int i = 0; i < m->titles; i++)
		strbuf_addstr(out, "\033[23;0t");
	for (unsigned int i = 0; i < 32; i++)
		if ((m->colours >> i & 1) != 0)
			strbuf_addf(out, "\033]%u\033\\", 100 + i);
}

static void
redo_keyboard(const struct termmodes_keyboard *k, struct strbuf *out)
{
	if (k->base != 0)
		strbuf_addf(out, "\033[=%uu", k->base);
	for (unsigned int i = 0; i < k->depth; i++)
		strbuf_addf(out, "\033[>%uu", k->flags[i]);
}

static void
redo_resource(
    unsigned int p, unsigned int value, char final, struct strbuf *out)
{
	if (value == OFF)
		strbuf_addf(out, "\033[>%un", p);
	else if (value != 0)
		strbuf_addf(out, "\033[>%u;%u%c", p, value - 1, final);
}

/*
 * Omits colours, titles and tab stops: the program sets them when it redraws.
 */
void
termmodes_redo(const struct termmodes *m, struct strbuf *out)
{
	redo_keyboard(&m->keyboard[0], out);
	if (m->alternate != 0) {
		strbuf_addf(out, "\033[?%uh", m->alternate);
		redo_keyboard(&m->keyboard[1], out);
	}
	for (size_t i = 0; i < MODES; i++)
		if ((m->changed >> i & 1) != 0)
			add_mode(&modes[i], !modes[i].initial, out);
	for (unsigned int p = 0; p < TERMMODES_RESOURCES; p++) {
		redo_resource(p, m->modify[p], 'm', out);
		redo_resource(p, m->format[p], 'f', out);
	}
	if (m->cursor != 0)
		strbuf_addf(out, "\033[%u q", m->cursor);
	if (m->top != 0 || m->bottom != 0)
		strbuf_addf(out, "\033[%u;%ur", m->top, m->bottom);
	if (m->pen.origin)
		strbuf_addstr(out, "\033[?6h");
}
