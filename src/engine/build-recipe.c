/* SPDX-License-Identifier: MIT */
/* build-recipe: names and digests of the inputs of an image's build. */
#include "engine/build-recipe.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "engine/context.h"
#include "engine/hostconf.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/settings.h"
#include "host/toolchain.h"

const char *
build_kind_name(enum build_kind kind)
{
	switch (kind) {
	case BUILD_AGENT:
		return "agent";
	case BUILD_EGRESS:
		return "egress";
	}
	assert(false);
	return "";
}

/* Appends the words sorted: their order in the settings does not matter. */
static void
add_sorted(struct strbuf *out, const char *what, const struct strvec *words)
{
	cleanup_strvec struct strvec sorted = STRVEC_INIT;
	cleanup_free char *joined = NULL;

	if (words->nr == 0)
		return;
	strvec_push_all(&sorted, (const char *const *)words->v);
	strvec_sort(&sorted);
	joined = strvec_join(&sorted, " ");
	strbuf_addf(out, "; %s %s", what, joined);
}

void
build_recipe_text(const struct build_recipe *recipe, struct strbuf *out)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	for (size_t i = 0; i < recipe->toolchains->nr; i++)
		strvec_push(&names, recipe->toolchains->v[i].name);
	strbuf_addf(out, "agent %s", recipe->agent->name);
	if (recipe->agent->version != NULL)
		strbuf_addf(out, "@%s", recipe->agent->version);
	add_sorted(out, "toolchains", &names);
	add_sorted(out, "packages", &recipe->settings->packages);
}

bool
build_recipe_is_plain(const struct build_recipe *recipe)
{
	return recipe->toolchains->nr == 0 && recipe->agent->is_default &&
	    recipe->agent->version == NULL;
}

void
build_recipe_add_packages(
    const struct build_recipe *recipe, struct strvec *words)
{
	for (size_t i = 0; i < recipe->toolchains->nr; i++) {
		const struct toolchain *tc = &recipe->toolchains->v[i];

		for (size_t s = 0; s < tc->nsuites; s++) {
			const struct toolchain_suite *suite = &tc->suites[s];

			for (size_t p = 0; p < suite->packages.nr; p++)
				strvec_pushf(words, "%s/%s/%s", tc->name,
				    suite->name, suite->packages.v[p]);
		}
	}
}

/* The parts of a context, in the order in which they are hashed. */
enum part {
	PART_FILES,
	PART_BASE,
	PART_AGENT,
	PART_TOOLCHAINS,
	PART_PACKAGES,
	PART_CERTIFICATES,
	PART_HOME,
	NPARTS
};

static const struct {
	const char *name; /* in the record */
	const char *words; /* in messages */
} part_names[NPARTS] = {
	[PART_FILES] = { "files", "the files that drydock installs" },
	[PART_BASE] = { "base", "base_image" },
	[PART_AGENT] = { "agent", "the agent's npm packages" },
	[PART_TOOLCHAINS] = { "toolchains", "the toolchains' packages" },
	[PART_PACKAGES] = { "packages", "packages" },
	[PART_CERTIFICATES] = { "certificates", "the trusted certificates" },
	[PART_HOME] = { "home", "the home directory's name" },
};

struct parts {
	struct strbuf v[NPARTS];
};

static void
parts_release(struct parts *parts)
{
	for (size_t i = 0; i < NPARTS; i++)
		strbuf_release(&parts->v[i]);
}

static int
read_parts(enum build_kind kind, const struct build_recipe *recipe,
    const struct context_files *files, struct parts *parts, struct diag *dg)
{
	const struct settings *settings = recipe->settings;
	cleanup_strvec struct strvec words = STRVEC_INIT;
	cleanup_strbuf struct strbuf pem = STRBUF_INIT;
	char hex[DIGEST_HEX_SIZE];

	if (hostconf_read_certificates(settings, recipe->paths, &pem, dg) !=
		0 ||
	    context_list(files, build_kind_name(kind),
		kind == BUILD_AGENT ? recipe->agent : NULL,
		&parts->v[PART_FILES], dg) != 0)
		return -1;
	strbuf_addf(&parts->v[PART_BASE], "base %s\n", settings->base_image);
	if (kind != BUILD_AGENT)
		return 0;
	for (size_t i = 0; i < recipe->agent->npm.nr; i++)
		strbuf_addf(
		    &parts->v[PART_AGENT], "npm %s\n", recipe->agent->npm.v[i]);
	build_recipe_add_packages(recipe, &words);
	for (size_t i = 0; i < words.nr; i++)
		strbuf_addf(
		    &parts->v[PART_TOOLCHAINS], "toolchain %s\n", words.v[i]);
	for (size_t i = 0; i < settings->packages.nr; i++)
		strbuf_addf(&parts->v[PART_PACKAGES], "package %s\n",
		    settings->packages.v[i]);
	if (pem.len > 0) {
		digest_bytes(pem.buf, pem.len, hex);
		strbuf_addf(
		    &parts->v[PART_CERTIFICATES], "certificates %s\n", hex);
	}
	if (recipe->paths->home_name != NULL)
		strbuf_addf(&parts->v[PART_HOME], "home %s\n",
		    recipe->paths->home_name);
	return 0;
}

#define PARTS_INIT                                                          \
	{                                                                   \
		{                                                           \
			STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, \
			    STRBUF_INIT, STRBUF_INIT, STRBUF_INIT           \
		}                                                           \
	}
#define cleanup_parts __attribute__((cleanup(parts_release)))

static void
print_parts(const struct parts *parts, struct strbuf *out)
{
	for (size_t i = 0; i < NPARTS; i++) {
		char hex[DIGEST_HEX_SIZE];

		digest_bytes(parts->v[i].buf, parts->v[i].len, hex);
		strbuf_addf(out, "%s%s=%.16s", i > 0 ? " " : "",
		    part_names[i].name, hex);
	}
}

int
build_context_digest(enum build_kind kind, const struct build_recipe *recipe,
    const struct context_files *files, char ret_hex[DIGEST_HEX_SIZE],
    struct strbuf *out_parts, struct diag *dg)
{
	cleanup_parts struct parts parts = PARTS_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (read_parts(kind, recipe, files, &parts, dg) != 0)
		return -1;
	for (size_t i = 0; i < NPARTS; i++)
		strbuf_add(&text, parts.v[i].buf, parts.v[i].len);
	digest_bytes(text.buf, text.len, ret_hex);
	if (out_parts != NULL)
		print_parts(&parts, out_parts);
	return 0;
}

/* Returns the digest of a part, and its length in *ret_len; NULL: none. */
static const char *
part_digest(const char *parts, const char *name, size_t *ret_len)
{
	size_t len = strlen(name);

	while (*parts != '\0') {
		size_t word = strcspn(parts, " ");

		if (word > len && parts[len] == '=' &&
		    strncmp(parts, name, len) == 0) {
			*ret_len = word - len - 1;
			return parts + len + 1;
		}
		parts += word + strspn(parts + word, " ");
	}
	*ret_len = 0;
	return NULL;
}

static bool
part_differs(const char *then, const char *now, const char *name)
{
	size_t then_len, now_len;
	const char *a = part_digest(then, name, &then_len);
	const char *b = part_digest(now, name, &now_len);

	return a == NULL || b == NULL || then_len != now_len ||
	    strncmp(a, b, now_len) != 0;
}

void
build_parts_compare(const char *then, const char *now, struct strbuf *out)
{
	const char *separator = "";

	for (size_t i = 0; i < NPARTS; i++) {
		if (!part_differs(then, now, part_names[i].name))
			continue;
		strbuf_addf(out, "%s%s", separator, part_names[i].words);
		separator = ", ";
	}
}

bool
build_parts_base_differs(const char *then, const char *now)
{
	return part_differs(then, now, part_names[PART_BASE].name);
}
