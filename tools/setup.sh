#!/usr/bin/env bash
# Builds .venv from requirements-dev.lock: every package at its locked version, its hash checked.
# PYTHON=/path/to/python chooses the interpreter; else the first of those below that is new enough.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
new_enough() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null; }

python=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
    if new_enough "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    found=$(python3 --version 2>/dev/null || echo "no python3")
    die "Churnwatch needs Python 3.11 to 3.14, found ${found}. Install one, or name it: make setup PYTHON=/path/to/python3.12"
fi

lock=requirements-dev.lock
started=$SECONDS
# A venv of another Python, or one left half made, is built anew; packages that left the lock go with it.
say "a virtual environment in .venv with $("$python" --version)"
"$python" -m venv --clear .venv || die "python -m venv failed; on Debian and Ubuntu: apt-get install python3-venv"

say "$(grep -c '^[a-z].*==' "$lock") locked packages, a minute or so"
pip="./.venv/bin/python -m pip --disable-pip-version-check"
$pip install --quiet --require-hashes --only-binary :all: -r "$lock" \
    || die "the packages could not be installed; is a package index in reach? (pip config list shows which is asked)"
$pip install --quiet --no-deps --no-build-isolation --no-index -e . || die "the project itself could not be installed"
touch .venv/.stamp
say "done in $((SECONDS - started)) s"
