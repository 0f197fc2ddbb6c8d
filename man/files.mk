# SPDX-License-Identifier: MIT
man_files = \
	man/drydock.1 \
	man/drydock-agent.5 \
	man/drydock-security.7 \
	man/drydock-toolchain.5 \
	man/drydock.conf.5
