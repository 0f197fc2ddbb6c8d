# SPDX-License-Identifier: MIT
# One name a line, sorted.  tests/fuzz/fuzz-x is made of tests/fuzz/fuzz-x.c and
# has its corpus in the file tests/fuzz/corpus/x (tests/fuzz/entries).
fuzz_programs = \
	tests/fuzz/fuzz-agent \
	tests/fuzz/fuzz-allowlist \
	tests/fuzz/fuzz-answer \
	tests/fuzz/fuzz-built \
	tests/fuzz/fuzz-cargolock \
	tests/fuzz/fuzz-cargomanifest \
	tests/fuzz/fuzz-cargoredirect \
	tests/fuzz/fuzz-containers \
	tests/fuzz/fuzz-crate \
	tests/fuzz/fuzz-cratecompare \
	tests/fuzz/fuzz-egress \
	tests/fuzz/fuzz-endpoint \
	tests/fuzz/fuzz-escape \
	tests/fuzz/fuzz-expect \
	tests/fuzz/fuzz-filter \
	tests/fuzz/fuzz-extra-service \
	tests/fuzz/fuzz-go \
	tests/fuzz/fuzz-gosum \
	tests/fuzz/fuzz-hostconf \
	tests/fuzz/fuzz-image \
	tests/fuzz/fuzz-info \
	tests/fuzz/fuzz-inspect \
	tests/fuzz/fuzz-jq \
	tests/fuzz/fuzz-json \
	tests/fuzz/fuzz-jsonadd \
	tests/fuzz/fuzz-key \
	tests/fuzz/fuzz-limits \
	tests/fuzz/fuzz-logs \
	tests/fuzz/fuzz-lookup \
	tests/fuzz/fuzz-manifest \
	tests/fuzz/fuzz-modzip \
	tests/fuzz/fuzz-npmcompare \
	tests/fuzz/fuzz-npmfragment \
	tests/fuzz/fuzz-npmlock \
	tests/fuzz/fuzz-npmmanifest \
	tests/fuzz/fuzz-npmpackage \
	tests/fuzz/fuzz-npmrange \
	tests/fuzz/fuzz-npmredirect \
	tests/fuzz/fuzz-npmroot \
	tests/fuzz/fuzz-options \
	tests/fuzz/fuzz-patchledger \
	tests/fuzz/fuzz-patchtext \
	tests/fuzz/fuzz-patchtree \
	tests/fuzz/fuzz-pnpmlock \
	tests/fuzz/fuzz-procfacts \
	tests/fuzz/fuzz-proof \
	tests/fuzz/fuzz-proxyhead \
	tests/fuzz/fuzz-proxylist \
	tests/fuzz/fuzz-record \
	tests/fuzz/fuzz-screen \
	tests/fuzz/fuzz-settings \
	tests/fuzz/fuzz-shell \
	tests/fuzz/fuzz-sources \
	tests/fuzz/fuzz-sshproto \
	tests/fuzz/fuzz-synced \
	tests/fuzz/fuzz-termfilter \
	tests/fuzz/fuzz-token \
	tests/fuzz/fuzz-toolchain \
	tests/fuzz/fuzz-verdict \
	tests/fuzz/fuzz-watched \
	tests/fuzz/fuzz-wire \
	tests/fuzz/fuzz-yaml \
	tests/fuzz/fuzz-yarnlock \
	tests/fuzz/fuzz-yarnpatch

fuzz_data = tests/fuzz/corpus tests/fuzz/dict tests/fuzz/entries \
	tests/fuzz/planted tests/fuzz/prove tests/fuzz/run

fuzz_archives = tests/fuzz/libfuzz.a tests/fuzz/libreplay.a
tests_fuzz_libfuzz_a_SOURCES = tests/fuzz/fuzz.c tests/fuzz/fuzz.h
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h

# The holder's files are no part of libdrydock.a.
tests_fuzz_fuzz_screen_SOURCES = tests/fuzz/fuzz-screen.c src/guest/screen.c
tests_fuzz_fuzz_lookup_SOURCES = tests/fuzz/fuzz-lookup.c src/guest/lookup.c \
	src/guest/proxyaddr.c
tests_fuzz_fuzz_lookup_LDADD = $(LDADD) -lresolv
tests_fuzz_fuzz_proxyhead_SOURCES = tests/fuzz/fuzz-proxyhead.c $(proxy_parse)
tests_fuzz_fuzz_proxylist_SOURCES = tests/fuzz/fuzz-proxylist.c \
	$(proxy_parse) src/guest/proxylist.c

# Without libFuzzer the targets run over their corpora, as tests like others.
# Archives: a unit test takes nothing out of them.  A conditional, not a
# substitution, or automake would not see that libreplay.a comes first.
if FUZZERS
fuzz_libs = tests/fuzz/libfuzz.a $(FUZZ_MAIN)
fuzz_tests =
fuzz: $(fuzz_programs)
	$(AM_V_at)$(srcdir)/tests/fuzz/run $(fuzz_programs)
else
fuzz_libs = tests/fuzz/libfuzz.a tests/fuzz/libreplay.a
fuzz_tests = $(fuzz_programs)
fuzz:
	@echo 'configure with --enable-fuzzers CC=clang for make fuzz' >&2
	@exit 1
endif

.PHONY: fuzz
