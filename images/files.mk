# SPDX-License-Identifier: MIT
# Installed and distributed, relative to the top.  Files that are executable
# go to image_scripts.
image_files =
image_scripts =
