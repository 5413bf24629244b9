"""Runs one server process and takes it down with whoever started it. Run by path, so it imports nothing of ours.

    python guard.py DIRECTORY command argument …

The starter holds the other end of this program's standard input. When that end closes, whatever the reason (a clean stop,
an exception, Ctrl-C, kill -9), the server is killed and DIRECTORY, its scratch data, removed; the end of the server's log
goes to standard output, for a starter who wants to know why. A pipe closes on every way of dying and on every POSIX
system; Linux's PR_SET_PDEATHSIG would fire when the starting *thread* ends.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

LOG_TAIL_BYTES = 4096


def main(directory: Path, command: list[str]) -> int:
    """Run `command` until it ends or standard input closes; give its exit code."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)  # a signal may reach the whole group; the starter decides when we stop
    log_path = directory / "server.log"
    try:
        with log_path.open("ab") as log:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory)
        threading.Thread(target=_kill_at_end_of_input, args=(server,), daemon=True).start()
        code = server.wait()
        with contextlib.suppress(BrokenPipeError):
            os.write(1, log_path.read_bytes()[-LOG_TAIL_BYTES:])
        return code
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _kill_at_end_of_input(server: subprocess.Popen[bytes]) -> None:
    while os.read(0, 4096):
        pass
    server.kill()  # its data is scratch: there is nothing to flush


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
