# SPDX-License-Identifier: MIT
sync_sources =
