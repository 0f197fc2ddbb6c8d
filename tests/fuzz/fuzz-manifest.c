/* SPDX-License-Identifier: MIT */
/*
 * The holder's guardrails: the manifest that names them, and the mounts that
 * would hide them.  The parsers are private to their file.
 */
#include "guest/policy.c"

#include "fuzz.h"

#define DIR "/etc/claude-code"

static void
check_manifest(char *text, size_t len)
{
	const struct policy policy = { NULL, "manifest", false };
	cleanup_diag struct diag dg = DIAG_INIT;
	struct check c = { .policy = &policy,
		.manifest = { NULL, STRVEC_INIT, STRVEC_INIT },
		.found = STRVEC_INIT,
		.dg = &dg };

	int rc = parse_manifest(&c, text, len);
	const struct manifest *m = &c.manifest;
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_POLICY);
	else
		FUZZ_CHECK(
		    (m->paths.nr > 0) == (strcmp(m->dir, POLICY_NONE) != 0));
	if (m->dir != NULL && strcmp(m->dir, POLICY_NONE) != 0)
		FUZZ_CHECK(m->dir[0] == '/' && m->dir[1] != '/' &&
		    m->dir[1] != '\0' && strstr(m->dir, "/../") == NULL);
	fuzz_outcome(rc, &dg);
	FUZZ_CHECK(m->paths.nr == m->digests.nr);
	for (size_t i = 0; i < m->paths.nr; i++) {
		const char *path = m->paths.v[i];
		FUZZ_CHECK(strlen(m->digests.v[i]) == DIGEST_LEN);
		FUZZ_CHECK(path[0] != '/' && path[0] != '\0');
		FUZZ_CHECK(strncmp(path, "../", 3) != 0);
		FUZZ_CHECK(strstr(path, "/../") == NULL);
		FUZZ_CHECK(strstr(path, "//") == NULL);
		FUZZ_CHECK(i == 0 || strcmp(m->paths.v[i - 1], path) < 0);
	}
	free(c.manifest.dir);
	strvec_release(&c.manifest.digests);
	strvec_release(&c.manifest.paths);
	strvec_release(&c.found);
}

/* One plain line of the input, found as a mount at or below the guardrails. */
static bool
names_guardrails(const char *text)
{
	static const char top[] = "1 2 0:3 / " DIR " ";
	return strncmp(text, top, sizeof(top) - 1) == 0;
}

static void
check_table(char *text)
{
	const struct policy policy = { NULL, POLICY_MANIFEST, false };
	cleanup_diag struct diag dg = DIAG_INIT;
	struct check c = { .policy = &policy, .dir = DIR, .dg = &dg };

	bool covered = names_guardrails(text);
	int rc = check_mount_table(&c, text);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_POLICY);
	FUZZ_CHECK(rc == -1 || !covered);
	fuzz_outcome(rc, &dg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	unsigned int kind = fuzz_take(&in);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_add(&text, in.data, in.size);
	if (kind == 'm')
		check_manifest(text.buf, text.len);
	else
		check_table(text.buf);
	return 0;
}
