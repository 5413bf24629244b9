"""Debian's Prometheus on loopback, with the rules and jobs of deploy/prometheus, asked as Grafana asks it."""

import json
import math
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from chaos.workers import mortal
from churnwatch.child import free_port

ROOT: Final = Path(__file__).parents[2]
CONFIG: Final = ROOT / "deploy/prometheus/prometheus.yml"
COMPOSE: Final = ROOT / "docker-compose.yml"
READY_SECONDS_MAX: Final = 20.0
ANSWER_SECONDS_MAX: Final = 10.0
SCRAPE_SECONDS: Final = 1

Series = dict[str, Any]
"""Labels under `metric`, pairs of time and value under `values`."""


class Prometheus:
    """A running Prometheus; `targets` gives the addresses of each job of the shipped configuration."""

    def __init__(self, folder: Path, targets: dict[str, list[str]]) -> None:
        program = shutil.which("prometheus")
        if program is None:
            pytest.skip("prometheus is not installed (Debian: apt-get install prometheus)")
        self.address = f"127.0.0.1:{free_port()}"
        config = folder / "prometheus.yml"
        config.write_text(yaml.safe_dump(_quick(targets)))
        self._log = folder / "prometheus.log"
        own = [f"--config.file={config}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={self.address}"]
        with self._log.open("wb") as out:
            command = mortal(program, *own, f"--web.external-url=http://{self.address}", *_documentation())
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.began_s = time.time()
        deadline = time.monotonic() + READY_SECONDS_MAX
        while self.status("/-/ready") != 200:
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def status(self, path: str) -> int:
        """The status of a page; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=ANSWER_SECONDS_MAX) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def ask(self, path: str, **arguments: Any) -> Any:
        """Give the `data` of an answer of its API; an error is raised with what it says."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_SECONDS_MAX) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{arguments}: {error.read().decode()}") from error

    def scrapes(self, job: str) -> bool:
        """Whether a job of the configuration has anywhere to go."""
        return any(target["labels"]["job"] == job for target in self.ask("targets")["activeTargets"])

    def series(self, expression: str) -> list[Series]:
        """Give what Grafana would draw of an expression since the start; series without a finite value are left out."""
        now_s = time.time()
        for variable, value in self.variables(now_s).items():
            expression = expression.replace(variable, value)
        found = self.ask("query_range", query=expression, start=self.began_s, end=now_s, step=SCRAPE_SECONDS)["result"]
        return [one for one in found if any(math.isfinite(float(value)) for _, value in one["values"])]

    def variables(self, now_s: float) -> dict[str, str]:
        """What Grafana puts for its variables: all workers, the time shown, and four scrapes at the least for a rate."""
        shown_s = math.ceil(now_s - self.began_s)
        return {"$__rate_interval": f"{4 * SCRAPE_SECONDS}s", "$__range": f"{shown_s}s", "$worker": ".*"}


def _quick(targets: dict[str, list[str]]) -> dict[str, Any]:
    """The shipped configuration, with addresses instead of names to look up, scraping every second."""
    config: dict[str, Any] = yaml.safe_load(CONFIG.read_text())
    every = f"{SCRAPE_SECONDS}s"
    config["global"] = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    config["rule_files"] = [str(CONFIG.with_name(name)) for name in config["rule_files"]]
    for job in config["scrape_configs"]:
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": targets.get(job["job_name"], [])}]
    return config


def _documentation() -> list[str]:
    """The argument that makes it serve the runbook, for the folder that the compose file mounts there."""
    service = yaml.safe_load(COMPOSE.read_text())["services"]["prometheus"]
    (argument,) = [word for word in service["command"] if word.startswith("--web.user-assets=")]
    flag, _, inside = argument.partition("=")
    (mounted,) = [mount.split(":")[0] for mount in service["volumes"] if mount.split(":")[1] == inside]
    return [f"{flag}={(ROOT / mounted).resolve()}"]
