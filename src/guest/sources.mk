# SPDX-License-Identifier: MIT
# The holder's own files, those that the host's side shares (the wire), and the
# files of base that the holder is linked with.
guest_sources =
guest_shared_sources =
guest_base_sources =
