# SPDX-License-Identifier: MIT
# The holder's own files, and the files of base that it is linked with.
guest_sources =
guest_base_sources =
