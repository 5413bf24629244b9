#!/usr/bin/env bash
# Builds .venv from requirements-dev.lock: every package at its locked version, its hash checked.
# PYTHON=/path/to/python chooses the interpreter; else the first of those below that is new enough.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
new_enough() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null; }

lock=requirements-dev.lock
stamp=.venv/.stamp
want=$(grep -v "^ *#" "$lock" | cksum) # comments do not count
venv_python=./.venv/bin/python
pip="$venv_python -m pip --disable-pip-version-check --quiet"
started=$SECONDS

if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ] || ! new_enough "$venv_python"; then
    python=""
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
        if new_enough "$candidate"; then python=$candidate; break; fi
    done
    if [ -z "$python" ]; then
        found=$("${PYTHON:-python3}" --version 2>/dev/null || echo "none")
        die "Churnwatch needs Python 3.11 to 3.14, found ${found}. Install one, or name it: make setup PYTHON=/path/to/python3.12"
    fi
    say "a virtual environment in .venv with $("$python" --version)"
    # --clear: a package that has left the lock, or a run that was cut short, leaves nothing behind
    "$python" -m venv --clear .venv || die "python -m venv failed; on Debian and Ubuntu: apt-get install python3-venv"
    say "$(grep -c '^[a-z].*==' "$lock") locked packages, a minute or so"
    $pip install --require-hashes --only-binary :all: -r "$lock" \
        || die "the packages could not be installed; does pip reach a package index? (pip config list)"
fi
$pip install --no-deps --no-build-isolation --no-index -e . || die "the project itself could not be installed"
printf '%s\n' "$want" >"$stamp"
say "done in $((SECONDS - started)) s"
