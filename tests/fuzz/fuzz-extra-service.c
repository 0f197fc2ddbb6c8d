/* SPDX-License-Identifier: MIT */
/*
 * The services that an overlay adds: each has a plain name, none is drydock's,
 * and what drydock says of them is one document of just these.  The parsers
 * are private to their file.
 */
#include "plan/extra-service.c"

#include <unistd.h>

#include "fuzz.h"
#include "plan/yaml.h"

static void
check_names(const struct assembly *a)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < a->nextra_services; i++) {
		const struct extra_service *f = &a->extra_services[i];

		FUZZ_CHECK(
		    f->name[0] != '\0' && strchr(letters, f->name[0]) != NULL);
		FUZZ_CHECK(strlen(f->name) <= 32);
		FUZZ_CHECK(strpbrk(f->name, "/_.:$ \n\"'@") == NULL);
		FUZZ_CHECK(strcmp(f->name, "agent") != 0);
		FUZZ_CHECK(strcmp(f->name, "egress") != 0);
		for (size_t k = 0; k < i; k++)
			FUZZ_CHECK(
			    strcmp(a->extra_services[k].name, f->name) != 0);
		if (f->reference == NULL || !is_reference(f->reference))
			continue;
		FUZZ_CHECK(f->reference[0] != '-');
		FUZZ_CHECK(strpbrk(f->reference, " \t\n$\"'\\") == NULL);
	}
}

/* What Compose would read, dollars single again. */
static void
read_services(int fd, struct json **ret_root)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf single = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
	FUZZ_CHECK(fs_read_fd(fd, "x", (size_t)1 << 24, &text, &dg) == 0);
	FUZZ_CHECK(dollars_unescape(text.buf, text.len, &single, &dg) == 0);
	FUZZ_CHECK(json_parse(single.buf, single.len, "x", ret_root, &dg) == 0);
}

static void
check_generated(struct assembly *a)
{
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;

	for (size_t i = 0; i < a->nextra_services; i++) {
		struct image *image = &a->extra_services[i].image;

		image->id = xstrdup("sha256:0");
		strvec_push(&image->env, "A=$x ${y}");
		strvec_push(&image->env, "B");
		strvec_push(&image->entrypoint, "/e");
		strvec_push(&image->command, "$c");
	}
	FUZZ_CHECK(add_generated(write_defaults, "n", "w", a->nr, a, &dg) == 0);
	read_services(a->v[a->nr - 1].fd, &root);
	const struct json *services = json_get(root, "services");
	FUZZ_CHECK(json_len(services) == a->nextra_services);
	for (size_t i = 0; i < a->nextra_services; i++) {
		const struct extra_service *f = &a->extra_services[i];
		const struct json *s = json_get(services, f->name);

		FUZZ_CHECK(json_is_object(s));
		FUZZ_CHECK(
		    (json_get(s, "entrypoint") == NULL) == f->has_entrypoint);
		FUZZ_CHECK(json_len(json_get(s, "environment")) == 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_yaml struct yaml_node *top = NULL;
	cleanup_assembly struct assembly a = ASSEMBLY_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (yaml_parse("overlay", (const char *)data, size, &top, &dg) == -1)
		return 0;
	struct overlay *o = assembly_insert(&a, 0, xstrdup("x"), xstrdup("y"));
	yaml_print(top, false, &o->tree);
	FUZZ_CHECK(read_overlay(o, &a, &dg) == 0);
	check_names(&a);
	check_generated(&a);
	return 0;
}
