/* SPDX-License-Identifier: MIT */
/*
 * Decides which sequences reach the user's terminal.  Meanings are those of
 * xterm (invisible-island.net/xterm/ctlseqs), kitty (sw.kovidgoyal.net/kitty,
 * its protocol extensions), iTerm2
 * (iterm2.com/documentation-escape-codes.html), ConEmu
 * (conemu.github.io/en/AnsiEscapeCodes.html) and screen(1).
 */
#include "terminal/termfilter.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/strbuf.h"

#define STRING_SHORT ((size_t)8192)

/* Judges the content behind the number of an OSC, "" if there is none. */
typedef bool content_fn(const char *s);

/*
 * OSC 9: a notification, or a command of ConEmu that starts with a number.
 * Command 4 shows progress; others run programs and macros.
 */
static bool
is_notification(const char *s)
{
	if (s[0] == '4')
		return s[1] == ';' || s[1] == '\0';
	return s[0] < '0' || s[0] > '9';
}

/* OSC 777: rxvt and others run the named extension; "notify" shows a text. */
static bool
is_notify(const char *s)
{
	return strncmp(s, "notify;", 7) == 0;
}

/* OSC 1337: iTerm2 also writes files, opens pages, and takes the focus. */
static bool
is_copy(const char *s)
{
	return strncmp(s, "Copy", 4) == 0 || strcmp(s, "EndCopy") == 0;
}

/*
 * Not listed, among others: 3 sets a property of the window.  7 is the
 * directory in which terminals start new shells, and the container's path does
 * not apply to the host.  50 sets and reports the font.  51 and 633 command
 * editors.  Of 1337 only the copy commands are listed.
 */
static const struct osc {
	unsigned short first, last; /* numbers */
	bool clipboard; /* passes only if the clipboard is allowed */
	content_fn *content; /* NULL: any content passes */
} oscs[] = {
	{ 0, 2, false, NULL }, /* titles */
	{ 4, 5, false, NULL }, /* colours */
	{ 10, 19, false, NULL },
	{ 104, 105, false, NULL },
	{ 110, 119, false, NULL },
	{ 8, 8, false, NULL }, /* hyperlinks */
	{ 9, 9, false, is_notification },
	{ 99, 99, false, NULL }, /* kitty's notifications */
	{ 777, 777, false, is_notify },
	{ 133, 133, false, NULL }, /* start of prompts and output */
	{ 52, 52, true, NULL },
	{ 5522, 5522, true, NULL }, /* kitty's clipboard */
	{ 1337, 1337, true, is_copy },
};

static bool
osc_passes(const struct termfilter *f, const struct vt_token *token)
{
	const char *s = token->body;
	size_t len = strcspn(s, ";");
	const char *content = s + len + (s[len] == ';');
	/* Terminals may read a number with zeros in front as another one. */
	if (len == 0 || len > 4 || strspn(s, "0123456789") != len ||
	    (len > 1 && s[0] == '0'))
		return false;
	unsigned long number = strtoul(s, NULL, 10);
	for (size_t i = 0; i < ARRAY_SIZE(oscs); i++) {
		const struct osc *o = &oscs[i];
		if (number < o->first || number > o->last)
			continue;
		bool allowed =
		    o->clipboard ? f->clipboard : token->len <= STRING_SHORT;
		return allowed && (o->content == NULL || o->content(content));
	}
	return false;
}

static bool
consists_of(const char *s, const char *chars)
{
	return s[strspn(s, chars)] == '\0';
}

/*
 * Passes Sixel images and two queries: for a setting (DECRQSS) and for a
 * capability (XTGETTCAP).  The terminal repeats the queried name as input, so
 * the name is restricted.  Dropped: keys (DECUDK), macros (DECDMAC), fonts,
 * ReGIS, restored states, kitty's remote control, and the wrappers of tmux.
 * screen passes any DCS to the outer terminal; what passes here is printable.
 */
static bool
dcs_passes(const char *s)
{
	static const char *const settings[] = { "m", "r", "s", "t", " q", "\"p",
		"\"q", "$|", "*|", "$}", "$~", "*x" };
	if (strncmp(s, "+q", 2) == 0)
		return strlen(s) <= STRING_SHORT &&
		    consists_of(s + 2, "0123456789abcdefABCDEF;");
	if (strncmp(s, "$q", 2) == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
			if (strcmp(s + 2, settings[i]) == 0)
				return true;
		return false;
	}
	return s[strspn(s, "0123456789;")] == 'q';
}

/*
 * Passes kitty's graphics whose data is in the stream (t=d).  With the other
 * media (t=f, t=t, t=s) a terminal reads, or removes, a file or shared memory
 * of the host that the stream names.
 */
static bool
apc_passes(const char *s)
{
	if (*s++ != 'G')
		return false;
	while (*s != '\0' && *s != ';') {
		size_t len = s[0] != '\0' && s[1] == '='
		    ? strspn(s + 2, ASCII_ALNUM "-")
		    : 0;
		if (len == 0 || (s[0] == 't' && (len != 1 || s[2] != 'd')))
			return false;
		s += 2 + len;
		if (*s == ',')
			s++;
	}
	return *s == '\0' || consists_of(s + 1, ASCII_ALNUM "+/=");
}

/*
 * Passes character sets, the cursor, tab stops, the keypad and resets.
 * Dropped: sequences that change how a terminal reads the stream (VT52 mode,
 * ESC % with another set than UTF-8) or how it answers (ESC SP G), and ESC !,
 * which screen takes for the start of a string.
 */
static bool
escape_passes(const struct vt_token *token)
{
	const char *s = token->body;
	if (token->len == 1)
		return strchr("6789=>DEHMNOZcno|}~", s[0]) != NULL;
	if (token->len == 2 && s[0] == '#')
		return s[1] >= '3' && s[1] <= '8';
	if (token->len == 2 && s[0] == '%')
		return s[1] == 'G';
	return strchr("()*+-./", s[0]) != NULL &&
	    (token->len == 2 || strchr("\"%&", s[1]) != NULL);
}

/*
 * Dropped: media copy, which prints; mode 2, which switches to VT52; and mode
 * 5522, which replaces a paste by a message, after which the program fetches
 * the content by the clipboard protocol.  Also dropped, because no sequence
 * undoes them in all terminals: the encoding of titles, hiding the pointer, how
 * controls are sent (DECSCL), and output to a status line.
 */
static bool
csi_passes(const struct vt_csi *csi)
{
	const char *i = csi->intermediate;
	bool mode = csi->prefix == '?' && i[0] == '\0' &&
	    strchr("hlsr", csi->final) != NULL;
	for (size_t at = 0; mode && at < csi->n; at++)
		if (csi->v[at] == 2 || csi->v[at] == 5522)
			return false;
	if (csi->prefix == '>' && strchr("ptT", csi->final) != NULL)
		return false;
	if ((strcmp(i, "\"") == 0 && csi->final == 'p') ||
	    (strcmp(i, "$") == 0 && strchr("}~", csi->final) != NULL))
		return false;
	return csi->final != 'i';
}

/*
 * Returns true if a terminal may answer.  Sequences without an answer are
 * listed; every other one counts as a query.
 */
static bool
csi_asks(const struct vt_csi *csi)
{
	const char *i = csi->intermediate;
	if (strcmp(i, " ") == 0 || strcmp(i, "!") == 0 || strcmp(i, "\"") == 0)
		return false;
	if (i[0] != '\0')
		return true;
	if (strchr("<=>", csi->prefix) != NULL && csi->prefix != '\0')
		return strchr("umfn", csi->final) == NULL;
	if (csi->prefix == '?')
		return strchr("hlsrJKW", csi->final) == NULL;
	if (csi->final == 't')
		return csi->v[0] != 22 && csi->v[0] != 23;
	return strchr("@ABCDEFGHIJKLMPSTXZ`abdefghlmrsu", csi->final) == NULL;
}

static bool
string_asks(const struct vt_token *token)
{
	if (token->kind == VT_OSC)
		return strchr(token->body, '?') != NULL ||
		    strncmp(token->body, "99;", 3) == 0 ||
		    strncmp(token->body, "5522;", 5) == 0;
	return token->kind == VT_APC ||
	    (token->kind == VT_DCS && strchr("$+", token->body[0]) != NULL);
}

struct verdict {
	bool passes;
	bool asks;
	bool attributes; /* the query is DA1 */
};

static struct verdict
judge(const struct termfilter *f, const struct vt_token *token)
{
	struct verdict v = { false, false, false };
	struct vt_csi csi;
	switch (token->kind) {
	case VT_TEXT:
		v.passes = true;
		break;
	case VT_CONTROL:
		v.passes = true;
		v.asks = token->body[0] == '\005';
		break;
	case VT_ESCAPE:
		v.passes = escape_passes(token);
		v.asks = token->len == 1 && token->body[0] == 'Z';
		v.attributes = v.asks;
		break;
	case VT_CSI:
		v.passes = vt_read_csi(token, &csi) && csi_passes(&csi);
		v.asks = v.passes && csi_asks(&csi);
		v.attributes = v.asks && csi.final == 'c' &&
		    csi.prefix == '\0' && csi.intermediate[0] == '\0';
		break;
	case VT_OSC:
		v.passes = osc_passes(f, token);
		v.asks = string_asks(token);
		break;
	case VT_DCS:
		v.passes = dcs_passes(token->body);
		v.asks = string_asks(token);
		break;
	case VT_APC:
		v.passes = apc_passes(token->body);
		v.asks = string_asks(token);
		break;
	case VT_TITLE:
		v.passes = token->len <= STRING_SHORT;
		break;
	case VT_PM:
	case VT_SOS:
		break;
	}
	return v;
}

static void
write_token(const struct vt_token *token, struct strbuf *out)
{
	static const char *const starts[] = {
		[VT_TEXT] = "",
		[VT_CONTROL] = "",
		[VT_ESCAPE] = "\033",
		[VT_CSI] = "\033[",
		[VT_OSC] = "\033]",
		[VT_DCS] = "\033P",
		[VT_APC] = "\033_",
		[VT_PM] = "\033^",
		[VT_SOS] = "\033X",
		[VT_TITLE] = "\033k",
	};
	strbuf_addstr(out, starts[token->kind]);
	strbuf_add(out, token->body, token->len);
	if (token->kind >= VT_OSC)
		strbuf_addstr(out, token->bell ? "\007" : "\033\\");
}

static void
on_token(void *arg, const struct vt_token *token)
{
	struct termfilter *f = arg;
	struct verdict v = judge(f, token);
	struct termmodes before;
	if (token->kind == VT_TEXT) {
		write_token(token, f->out);
		return;
	}
	if (!v.passes || (v.asks && f->silent))
		return;
	before = f->modes;
	termmodes_note(&f->modes, token);
	if (termmodes_reports(&f->modes)) {
		if (f->silent) {
			f->modes = before;
			return;
		}
		f->asked = true;
	}
	f->asked = f->asked || v.asks;
	f->asked_attributes += v.attributes && f->asked_attributes < 1000;
	write_token(token, f->out);
}

void
termfilter_add(
    struct termfilter *f, const char *data, size_t len, struct strbuf *out)
{
	f->out = out;
	vt_parse(&f->vt, data, len, on_token, f);
	f->out = NULL;
}

void
termfilter_release(struct termfilter *f)
{
	vt_release(&f->vt);
}
