"""A PostgreSQL of one's own, in a folder that goes with it, on a free port of loopback; to be stopped and crashed at will."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from churnwatch.child import free_port

READY_SECONDS_MAX = 30.0
FAST = ("fsync=off", "full_page_writes=off", "max_connections=40", "shared_buffers=64MB")


def _programs() -> Path | None:
    """The newest installation's folder of programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).parent if on_path else None


class Postgres:
    """One server; `url` is where it is, for its superuser `churnwatch`, who needs no password on loopback."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.port = free_port()
        self.url = f"postgresql://churnwatch@127.0.0.1:{self.port}/postgres"
        self._folder, self._programs = folder, programs
        self._process: subprocess.Popen[bytes] | None = None
        # It refuses to run as root.
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(folder, "postgres")
        made = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "churnwatch", "-A", "trust", "--no-sync"]
        made += ["--no-instructions", "--locale=C.UTF-8", "--encoding=UTF8"]
        subprocess.run([*self._as, *made], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.start()

    def start(self) -> None:
        """Start it, and return when it can be asked."""
        options = ["listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=", *FAST]
        settings = [part for option in options for part in ("-c", option)]
        with (self._folder / "log").open("ab") as log:
            command = [*self._as, str(self._programs / "postgres"), "-D", str(self._folder / "data"), *settings]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT cuts connections off in good order, SIGQUIT is a crash."""
        pid = self._folder / "data" / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(pid.read_text().splitlines()[0]), how)
        if self._process is not None:
            self._process.wait(READY_SECONDS_MAX)

    def crash(self) -> None:
        """End it without a word to anybody, and start it again."""
        self.stop(signal.SIGQUIT)
        self.start()

    def _wait(self) -> None:
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + READY_SECONDS_MAX
        while subprocess.run(ready, check=False).returncode:
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            time.sleep(0.05)


@contextlib.contextmanager
def running() -> Iterator[Postgres]:
    """Start one and stop it again; raises LookupError, with the reason, where there is none to be started."""
    programs = _programs()
    if programs is None:
        raise LookupError("needs PostgreSQL: no `postgres` in /usr/lib/postgresql or on the PATH")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        raise LookupError("needs PostgreSQL, which does not run as root, and there is no runuser")
    folder = Path(tempfile.mkdtemp(prefix="churnwatch-postgres-"))
    server = None
    try:
        server = Postgres(folder, programs)
        yield server
    finally:
        if server is not None:
            server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
