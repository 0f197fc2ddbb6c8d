/* SPDX-License-Identifier: MIT */
/*
 * How this host reaches packages: lines that a build's script reads, each in
 * its one form, whatever the host's files hold.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "fuzz.h"
#include "host/aptsources.h"
#include "host/npmrc.h"

/* "KEY|URI SUITE COMPONENT...": one line, and the words are where they are. */
static void
check_lines(const struct strvec *lines)
{
	for (size_t i = 0; i < lines->nr; i++) {
		const char *line = lines->v[i];
		const char *bar = strchr(line, '|');
		FUZZ_CHECK(strpbrk(line, "\r\n\t") == NULL);
		FUZZ_CHECK(bar != NULL);
		FUZZ_CHECK(strncmp(bar + 1, "http://", 7) == 0 ||
		    strncmp(bar + 1, "https://", 8) == 0);
		const char *suite = strchr(bar, ' ');
		FUZZ_CHECK(suite != NULL && suite[1] != ' ');
		const char *component = strchr(suite + 1, ' ');
		FUZZ_CHECK(component != NULL && component[1] != '\0');
		FUZZ_CHECK(component[-1] != '/');
		FUZZ_CHECK(*line == '|' || *line == '/' ||
		    strncmp(line, "trusted|", 8) == 0);
	}
}

static void
check_npmrc(const char *text)
{
	static const char *const environ_[] = { "A=1", "TOKEN=x\ny", NULL };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_free char *cafile = NULL;

	npmrc_parse(text, environ_, &out, &cafile);
	for (const char *p = out.buf; *p != '\0';) {
		size_t len = strcspn(p, "\n");
		FUZZ_CHECK(p[len] == '\n');
		FUZZ_CHECK(memchr(p, '=', len) != NULL);
		FUZZ_CHECK(*p == '@' || *p == '/' || *p == 'r' || *p == 'p' ||
		    *p == 'h' || *p == 'n' || *p == 's');
		p += len + 1;
	}
	FUZZ_CHECK(cafile == NULL || strpbrk(cafile, "\r\n") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned int kind = fuzz_take(&in);
	cleanup_free char *text = fuzz_text(in.data, in.size);
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	if (kind == 'n')
		check_npmrc(text);
	else
		aptsources_parse(kind == 'l' ? "a.list" : "a.sources", text,
		    "bookworm", &lines);
	check_lines(&lines);
	return 0;
}
