/* SPDX-License-Identifier: MIT */
/* A DNS answer: addresses of the family that was asked for, and bounded. */
#include "fuzz.h"
#include "guest/lookup.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	for (size_t i = 0; i < 2; i++) {
		struct lookup_report report;
		lookup_read_answer(data, size, families[i], &report);
		FUZZ_CHECK(report.nr <= LOOKUP_EACH);
		for (size_t k = 0; k < report.nr; k++)
			FUZZ_CHECK(report.v[k].family == families[i]);
	}
	return 0;
}
