/* SPDX-License-Identifier: MIT */
/*
 * The user's overlays: the tree that is judged is the tree that Compose gets,
 * as JSON and as YAML with its tags.
 */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "fuzz.h"
#include "plan/yaml.h"

static void
check_json(const struct yaml_node *n, const struct json *j)
{
	FUZZ_CHECK((n->kind == YAML_NULL) == json_is_null(j));
	FUZZ_CHECK((n->kind == YAML_BOOL) == json_is_bool(j));
	FUZZ_CHECK((n->kind == YAML_MAPPING) == json_is_object(j));
	FUZZ_CHECK((n->kind == YAML_SEQUENCE) == json_is_array(j));
	FUZZ_CHECK((n->kind == YAML_STRING) == json_is_string(j));
	FUZZ_CHECK((n->kind == YAML_NUMBER) == (json_number(j) != NULL));
	if (n->kind == YAML_STRING)
		FUZZ_CHECK(strcmp(n->text, json_string(j)) == 0);
	if (n->kind == YAML_NUMBER)
		FUZZ_CHECK(strcmp(n->text, json_number(j)) == 0);
	if (n->kind == YAML_BOOL)
		FUZZ_CHECK(
		    (strcmp(n->text, "true") == 0) == json_bool(j, false));
	FUZZ_CHECK(n->nr == json_len(j));
	for (size_t i = 0; i < n->nr; i++) {
		if (n->kind == YAML_SEQUENCE) {
			check_json(n->v[i], json_at(j, i));
			continue;
		}
		FUZZ_CHECK(strcmp(n->keys[i], json_key_at(j, i)) == 0);
		check_json(n->v[i], json_value_at(j, i));
	}
}

static void
check_same(const struct yaml_node *a, const struct yaml_node *b)
{
	FUZZ_CHECK(a->kind == b->kind && a->nr == b->nr);
	FUZZ_CHECK((a->tag == NULL) == (b->tag == NULL));
	FUZZ_CHECK(a->tag == NULL || strcmp(a->tag, b->tag) == 0);
	if (a->kind == YAML_STRING || a->kind == YAML_NUMBER ||
	    a->kind == YAML_BOOL)
		FUZZ_CHECK(strcmp(a->text, b->text) == 0);
	for (size_t i = 0; i < a->nr; i++) {
		if (a->kind == YAML_MAPPING)
			FUZZ_CHECK(strcmp(a->keys[i], b->keys[i]) == 0);
		check_same(a->v[i], b->v[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_yaml struct yaml_node *top = NULL;
	cleanup_yaml struct yaml_node *again = NULL;
	cleanup_json struct json *json = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	int rc = yaml_parse("overlay", (const char *)data, size, &top, &dg);
	FUZZ_CHECK((rc == 0) == (top != NULL));
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_CONFIG || dg.class == DIAG_POLICY);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return 0;
	FUZZ_CHECK(top->kind == YAML_MAPPING);
	yaml_print(top, false, &text);
	FUZZ_CHECK(json_parse(text.buf, text.len, "json", &json, &dg) == 0);
	check_json(top, json);
	strbuf_reset(&text);
	yaml_print(top, true, &text);
	FUZZ_CHECK(yaml_parse("again", text.buf, text.len, &again, &dg) == 0);
	check_same(top, again);
	return 0;
}
