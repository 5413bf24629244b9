"""Apache Kafka's jars, fetched once through Maven into the user's cache: for development and tests, never for production.

Bounded in time: a registry that answers slowly costs DOWNLOAD_S_MAX, one that does not answer SILENCE_S_MAX, and after a
failure nobody asks again for RETRY_AFTER_S (except where real services were asked for by name). Atomic: the jars are copied
beside their final place, then renamed.
"""

import os
import re
import selectors
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from churnwatch.child import ServiceError

# Kafka and the log4j it is built with, the wanted one first; the next where a registry does not hold all of it.
VERSIONS = {"4.4.0": "2.25.5", "4.3.1": "2.25.4"}
JAVA_MIN = 17
DOWNLOAD_S_MAX = 120.0
SILENCE_S_MAX = 20.0
RETRY_AFTER_S = 3600.0
OUTPUT_BYTES_MAX = 1_000_000
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

# kafka-tools-api holds interfaces for the command-line tools; the broker does not need it, and 4.4.0's was never published.
POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>churnwatch</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{kafka}</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>{log4j}</version>
    </dependency>
  </dependencies>
</project>
"""
MVN_OPTIONS = [
    "--batch-mode",
    "--strict-checksums",
    "-DincludeScope=runtime",
    "-Dmaven.wagon.http.connectionTimeout=5000",  # Maven 3.8
    "-Dmaven.wagon.rto=15000",
    "-Daether.connector.connectTimeout=5000",  # Maven 3.9 and later
    "-Daether.connector.requestTimeout=15000",
]


@dataclass(frozen=True, slots=True)
class KafkaHome:
    """What it takes to run Kafka: its version, the folder with its jars, the `java` that runs them."""

    version: str
    jars: Path
    java: Path


def kafka_home(say: Callable[[str], None], *, ask_again: bool = False) -> KafkaHome:
    """Give Kafka from the cache, else fetch it; `say` hears of a download, `ask_again` ignores an earlier failure.

    Raises ServiceError where there is no Java, no Maven or no registry in reach.
    """
    java = _java()
    for version in VERSIONS:
        jars = _cache() / f"kafka-{version}"
        if jars.is_dir():
            return KafkaHome(version, jars, java)
    failed = _cache() / "kafka.failed"
    if not ask_again and failed.exists() and time.time() - failed.stat().st_mtime < RETRY_AFTER_S:
        raise ServiceError(f"Apache Kafka could not be fetched within the last hour: {failed.read_text().strip()}")
    try:
        version, jars = _fetch(say)
    except ServiceError as error:
        failed.parent.mkdir(parents=True, exist_ok=True)
        failed.write_text(str(error))
        raise
    failed.unlink(missing_ok=True)
    return KafkaHome(version, jars, java)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "churnwatch"


def _java() -> Path:
    home = os.environ.get("JAVA_HOME")
    found = (home and shutil.which("java", path=Path(home, "bin"))) or shutil.which("java")
    if found is None:
        raise ServiceError(f"a real Kafka needs Java {JAVA_MIN} or newer on the PATH, and there is none")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA_MIN:
        raise ServiceError(f"a real Kafka needs Java {JAVA_MIN} or newer; {found} is {said.splitlines()[:1]}")
    return Path(found)


def _fetch(say: Callable[[str], None]) -> tuple[str, Path]:
    mvn = shutil.which("mvn")
    if mvn is None:
        raise ServiceError("Apache Kafka is fetched with Maven (mvn), and there is none on the PATH")
    deadline = time.monotonic() + DOWNLOAD_S_MAX
    output = ""
    for version, log4j in VERSIONS.items():
        say(f"fetching Apache Kafka {version} with Maven (43 MB, once; {DOWNLOAD_S_MAX:g} s at most)")
        jars = _cache() / f"kafka-{version}"
        jars.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=jars.parent, prefix="fetch-") as scratch:
            pom = Path(scratch, "pom.xml")
            pom.write_text(POM.format(kafka=version, log4j=log4j))
            fetched = Path(scratch, "jars")
            command = [mvn, *MVN_OPTIONS, "-f", str(pom), DEPENDENCY_PLUGIN, f"-DoutputDirectory={fetched}"]
            code, output = _run(command, deadline)
            if code == 0:
                if not jars.exists():  # else another process was faster
                    fetched.rename(jars)
                return version, jars
        if "Could not find artifact" not in output and "was not found" not in output:
            break  # no registry: the next version would wait for it as well
    errors = [line for line in output.splitlines() if "ERROR" in line] or output.splitlines()[-1:] or ["no answer"]
    raise ServiceError(f"Maven could not fetch Apache Kafka: {errors[0][:300]}")


def _run(command: list[str], deadline: float) -> tuple[int, str]:
    """Run Maven while it makes progress: a line for each file it asks for or gets. Give its exit code and output."""
    output = bytearray()
    heard = time.monotonic()
    with (
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as maven,
        selectors.DefaultSelector() as selector,
    ):
        assert maven.stdout is not None
        selector.register(maven.stdout, selectors.EVENT_READ)
        while True:
            if selector.select(timeout=1):
                chunk = os.read(maven.stdout.fileno(), 65_536)
                if not chunk:
                    break
                output += chunk[: OUTPUT_BYTES_MAX - len(output)]
                heard = time.monotonic()
            if time.monotonic() > min(deadline, heard + SILENCE_S_MAX):
                maven.kill()
                output += f"\n[ERROR] stopped: last sign of progress {time.monotonic() - heard:.0f} s ago\n".encode()
                break
    return maven.returncode, output.decode(errors="replace")
