# SPDX-License-Identifier: MIT
man_files = \
	man/drydock.1 \
	man/drydock-security.7 \
	man/drydock.conf.5
