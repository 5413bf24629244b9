#!/usr/bin/env bash
# Installs Debian's redis-server for the tests where that can be done without asking: as root, with apt-get, in two minutes.
# Its failure is no failure: the tests then use fakeredis.
set -uo pipefail
command -v redis-server >/dev/null && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "services: no redis-server and no way to install it here; the tests use fakeredis"
    exit 0
fi
echo "services: installing redis-server"
export DEBIAN_FRONTEND=noninteractive
options="-qq -o Acquire::http::Timeout=10 -o Acquire::Retries=1 -o DPkg::Lock::Timeout=30"
# RUNLEVEL=1 keeps the package from starting a server of its own
{ timeout 60 apt-get $options update && RUNLEVEL=1 timeout 60 apt-get $options install -y --no-install-recommends redis-server; } \
    >/dev/null 2>&1 || echo "services: redis-server could not be installed; the tests use fakeredis"
