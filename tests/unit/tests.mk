# SPDX-License-Identifier: MIT
# One name a line, sorted.  tests/unit/test-x is made of tests/unit/test-x.c;
# one that needs --wrap also sets tests_unit_test_x_LDFLAGS below.
unit_tests = \
	tests/unit/test-agent \
	tests/unit/test-allowlist \
	tests/unit/test-check \
	tests/unit/test-diag \
	tests/unit/test-digest \
	tests/unit/test-fs \
	tests/unit/test-fs-tree \
	tests/unit/test-jqprog \
	tests/unit/test-json \
	tests/unit/test-lock \
	tests/unit/test-mode \
	tests/unit/test-options \
	tests/unit/test-paths \
	tests/unit/test-proc \
	tests/unit/test-project \
	tests/unit/test-settings \
	tests/unit/test-strbuf \
	tests/unit/test-strvec
