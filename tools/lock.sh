#!/usr/bin/env bash
# Writes both locks from pyproject.toml. --universal: one file for every platform and Python that the project takes.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "${@:2}" \
        pyproject.toml --output-file "$1"
}

compile requirements.lock --extra bi
compile requirements-dev.lock --extra bi --extra dev
git --no-pager diff --stat -- requirements.lock requirements-dev.lock
