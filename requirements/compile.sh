#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Compiles the *.in files beside this script into pinned *.txt files with hashes, using the `uv` on PATH.
# Versions that are already pinned stay; with --upgrade everything moves to the newest that fits.
# Each of the first three is a constraint for the next, so that they agree. "fewest": one release of a package for all
# Pythons, because the daemon that is zipped under Python 3.13 runs under 3.9. importer.txt and mutants.txt
# have a venv each, matrix.txt has one with each of matrix-*.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() { # name, oldest Python, more options...
    uv pip compile --quiet --universal --fork-strategy fewest --generate-hashes --strip-extras \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements" \
        --python-version "$2" --output-file "requirements/$1.txt" "requirements/$1.in" "${@:3}"
}

compile relay 3.9 "$@"
compile run 3.11 --constraint requirements/relay.txt "$@"
compile dev 3.11 --constraint requirements/run.txt "$@"
compile importer 3.11 "$@"
compile mutants 3.11 "$@"
compile matrix 3.11 --constraint requirements/dev.txt --no-emit-package ansible-core "$@"
compile matrix-2.19 3.11 --no-deps "$@"
compile matrix-2.20 3.12 --no-deps "$@"
compile matrix-2.21 3.13 --no-deps "$@"
