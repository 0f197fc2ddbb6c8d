# SPDX-License-Identifier: MIT
# One name a line, sorted.  tests/unit/test-x is made of tests/unit/test-x.c;
# one that needs --wrap also sets tests_unit_test_x_LDFLAGS below.
unit_tests = \
	tests/unit/test-check
