"""Kafka over SASL_SSL with access lists, Redis over TLS with a user: everything works, and whoever is refused is told why."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.logs import QUICK
from churnwatch.child import LOOPBACK
from churnwatch.kafka_rights import rights
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from churnwatch.settings_sources import file_key
from tests.integration.access_servers import (
    PLAIN_PASSWORD,
    PLAIN_USER,
    SCRAM_PASSWORD,
    SCRAM_USER,
    Certificates,
    Grant,
    Listener,
    SecuredKafka,
    SecuredRedis,
    secured_redis,
)
from tests.integration.access_site import Site
from tests.integration.worker_logs import shop, write

pytestmark = pytest.mark.slow

PREFIX = "a."
REDIS_PASSWORD = "redis-canary-91e2"
PAGE = Path(__file__).parents[2] / "docs" / "access.md"
QUICKLY = {file_key(name).upper(): str(value) for name, value in QUICK.items()}
NO_LOGIN: dict[str, str | None] = {"KAFKA_SASL_USERNAME": None, "KAFKA_SASL_PASSWORD": None}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def kafka(certificates: Certificates) -> Iterator[SecuredKafka]:
    kafka = SecuredKafka(certificates)
    try:
        # What docs/access.md allows, no more: the operator's part (create, write the inputs) and the worker's.
        kafka.allow(SCRAM_USER, *worker_grants())
        kafka.allow(SCRAM_USER, *operator_grants())
        yield kafka
    finally:
        kafka.stop()


@pytest.fixture(scope="module")
def redis(certificates: Certificates) -> Iterator[SecuredRedis]:
    with secured_redis(certificates) as server:
        server.admin(*documented_acl("cw", REDIS_PASSWORD))
        server.admin("ACL", "SETUSER", "default", "resetkeys", "-@all", "+acl", "+info", "+ping")
        yield server


@pytest.fixture
def site(
    kafka: SecuredKafka,
    redis: SecuredRedis,
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Site:
    settings = {
        "KAFKA_BOOTSTRAP": kafka.address("SASL_SSL"),
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": SCRAM_USER,
        "KAFKA_SASL_PASSWORD": SCRAM_PASSWORD,
        "KAFKA_SSL_CAFILE": certificates["ca.pem"],
        "KAFKA_GROUP_ID": f"{PREFIX}workers",
        "REDIS_URL": f"rediss://churnwatch:{REDIS_PASSWORD}@127.0.0.1:{redis.port}/0",
        "REDIS_TLS_CA": certificates["ca.pem"],
        "TOPIC_PREFIX": PREFIX,
        "TOPIC_PARTITIONS": "4",
    }
    return Site(settings, tmp_path, monkeypatch, capsys)


def documented_acl(namespace: str, password: str) -> list[str]:
    """The line of docs/access.md, with a password and a namespace."""
    line = next(line for line in PAGE.read_text().splitlines() if line.startswith("ACL SETUSER"))
    return line.replace(">PASSWORD", f">{password}").replace("~cw:", f"~{namespace}:").split()


def documented_rights(who: str) -> set[tuple[str, str]]:
    """Operation and topic, as the page's table lists them for somebody."""
    rows = [row.split("|")[1:4] for row in PAGE.read_text().splitlines() if row.startswith(f"| {who}")]
    topics = Settings().topics()
    found = {(op.strip(), name) for _, op, on in rows if "topic" in on for name in re.findall(r"`([a-z.]+)`", on)}
    letters = {("write", topics.dlq(topic)) for topic in topics.inputs.values()}
    return {pair for pair in found if pair[1] != ".dlq"} | (letters if ("write", ".dlq") in found else set())


def worker_grants() -> list[Grant]:
    own = [("topic", PREFIX + topic, op) for topic, ops in rights(Settings()).items() for op in sorted(ops)]
    return [*own, ("group", f"{PREFIX}workers", "read")]


def operator_grants() -> list[Grant]:
    topics = Settings().topics()
    wanted = [("topic", PREFIX, "create"), ("topic", PREFIX + topics.alerts, "read")]
    wanted += [("topic", PREFIX + topic, "write") for topic in topics.inputs.values()]
    wanted += [("topic", PREFIX + topics.dlq(topic), "read") for topic in topics.with_letters()]
    return [*wanted, ("topic", PREFIX + topics.scores, "describe")]


def test_the_page_lists_what_a_worker_is_asked_for() -> None:
    asked = {(op, topic) for topic, ops in rights(Settings()).items() for op in ops}
    assert documented_rights("worker") == asked


@pytest.mark.timeout(300)
def test_everything_works_and_no_password_is_heard(
    site: Site, kafka: SecuredKafka, redis: SecuredRedis, certificates: Certificates
) -> None:
    site.done("topics", "create")
    site.done("topics", "check")
    log = write(site.scratch / "log.jsonl", shop(60, 60))
    with log.open("a") as lines:
        lines.write(
            '{"stream": "orders", "event_id": "x", "customer_id": "c001", "occurred_at": 1, "order_id": "x", "amount": 1}\n'
        )
    published = json.loads(site.done("publish", str(log), "--json"))["total"]
    with site.worker(CLOCK="replay", LOG_LEVEL="debug", **QUICKLY) as worker:
        worker.wait_for(lambda: read_of(worker.get("/metrics")) == published)
        worker.wait_for(lambda: site.run("model", "show", "--json").code == 0)
        worker.wait_for(lambda: bool(site.done("alerts", "--json")))
        assert '"ok": true' in worker.get("/readyz")
        site.heard.extend(worker.get(path) for path in ("/metrics", "/healthz", "/readyz"))
        site.heard.append(worker.command_line)
        assert listening_on(worker.port) <= {LOOPBACK}
        assert json.loads(site.done("customer", "c002", "--json"))["customer_id"] == "c002"
        assert json.loads(site.done("dlq", "list", "--json"))
        erased = json.loads(site.done("forget", "c001", "--json"))
        assert (erased["erased"], erased["read_by_worker"]) == (True, True)
        site.done("model", "history")
        site.done("model", "rollback", "--pin")
        site.done("doctor")
        site.done("config", "show")
        site.done("config", "show", "--json", "--changed")
        assert worker.terminate() == 0
    for name in ("PLAIN", "SSL"):
        site.done("topics", "check", **other_way_in(name, kafka, certificates))
    allowed = {word.removeprefix("+").partition("|")[0] for word in documented_acl("cw", "") if word.startswith("+")}
    used = set(re.findall(r"cmdstat_([a-z]+)", redis.admin("INFO", "commandstats"))) - {"auth", "acl", "client"}
    assert used <= allowed
    assert allowed - used <= {"lrem", "scan"}, "allowed, but not needed"
    for password in (SCRAM_PASSWORD, PLAIN_PASSWORD, REDIS_PASSWORD):
        assert not [said for said in site.heard if password in said]


def listening_on(port: int) -> set[str]:
    """The addresses on which somebody listens at a port, where the kernel tells (Linux)."""
    table = Path("/proc/net/tcp")
    rows = [row.split() for row in table.read_text().splitlines()[1:]] if table.exists() else []
    found = {row[1].split(":")[0] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
    return {".".join(str(byte) for byte in reversed(bytes.fromhex(address))) for address in found}


def read_of(metrics: str) -> int:
    found = re.findall(r'^churnwatch_events_total\{outcome="read".*\} (\S+)$', metrics, re.MULTILINE)
    return sum(int(float(value)) for value in found)


def other_way_in(name: str, kafka: SecuredKafka, certificates: Certificates) -> dict[str, str | None]:
    """SASL PLAIN, or a client certificate."""
    if name == "PLAIN":
        kafka.allow(PLAIN_USER, ("topic", PREFIX, "describe"))
        return {"KAFKA_SASL_MECHANISM": name, "KAFKA_SASL_USERNAME": PLAIN_USER, "KAFKA_SASL_PASSWORD": PLAIN_PASSWORD}
    kafka.allow("CN=client", ("topic", PREFIX, "describe"))
    files = {"KAFKA_SSL_CERTFILE": certificates["client.pem"], "KAFKA_SSL_KEYFILE": certificates["client.key"]}
    return {"KAFKA_SECURITY_PROTOCOL": name, "KAFKA_BOOTSTRAP": kafka.address("SSL"), **NO_LOGIN, **files}


WRONG: dict[str, tuple[Listener, dict[str, str | None], str]] = {
    "password": ("SASL_SSL", {"KAFKA_SASL_PASSWORD": "wrong-canary"}, "CHURNWATCH_KAFKA_SASL_PASSWORD"),
    "user": ("SASL_SSL", {"KAFKA_SASL_USERNAME": "nobody"}, "CHURNWATCH_KAFKA_SASL_USERNAME"),
    "plain password": ("SASL_SSL", {"KAFKA_SASL_MECHANISM": "PLAIN"}, "CHURNWATCH_KAFKA_SASL_USERNAME"),
    "mechanism": ("SASL_SSL", {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"}, "CHURNWATCH_KAFKA_SASL_MECHANISM"),
    "authority": ("SASL_SSL", {"KAFKA_SSL_CAFILE": "other_ca.pem"}, "CHURNWATCH_KAFKA_SSL_CAFILE"),
    "no authority": ("SASL_SSL", {"KAFKA_SSL_CAFILE": None}, "CHURNWATCH_KAFKA_SSL_CAFILE"),
    "no such file": ("SASL_SSL", {"KAFKA_SSL_CAFILE": "none.pem"}, "CHURNWATCH_KAFKA_SSL_CAFILE"),
    "expired": ("EXPIRED", {}, "expired"),
    "other host": ("OTHERHOST", {}, "CHURNWATCH_KAFKA_BOOTSTRAP"),
    "plain to tls": (
        "SASL_SSL",
        {"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT", **NO_LOGIN},
        "CHURNWATCH_KAFKA_SECURITY_PROTOCOL",
    ),
    "login to tls": ("SASL_SSL", {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "CHURNWATCH_KAFKA_SECURITY_PROTOCOL"),
    "tls to plain": ("PLAINTEXT", {}, "CHURNWATCH_KAFKA_SECURITY_PROTOCOL"),
    "no login": ("SASL_SSL", {"KAFKA_SECURITY_PROTOCOL": "SSL", **NO_LOGIN}, "CHURNWATCH_KAFKA_SECURITY_PROTOCOL"),
    "no certificate": ("SSL", {"KAFKA_SECURITY_PROTOCOL": "SSL", **NO_LOGIN}, "CHURNWATCH_KAFKA_SSL_CERTFILE"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_who_is_not_let_in_is_told_the_setting(
    fault: str, site: Site, kafka: SecuredKafka, certificates: Certificates
) -> None:
    listener, changed, setting = WRONG[fault]
    files = {
        name: certificates[value] if value and value.endswith(".pem") else value for name, value in changed.items()
    }
    said = site.run("topics", "check", **{"KAFKA_BOOTSTRAP": kafka.address(listener)} | files)
    assert setting in said.line
    assert "canary" not in said.line


@pytest.mark.parametrize("command", [["alerts"], ["dlq", "list"], ["customer", "c1"], ["forget", "c1"], ["doctor"]])
def test_every_command_ends_the_same(command: list[str], site: Site) -> None:
    said = site.run(*command, KAFKA_SASL_PASSWORD="wrong-canary")
    assert said.code == 1
    assert "CHURNWATCH_KAFKA_SASL_PASSWORD" in said.out + said.err
    assert "canary" not in said.out + said.err
    assert "Traceback" not in said.err


def test_commands_name_what_the_access_lists_refuse(site: Site, kafka: SecuredKafka) -> None:
    site.done("topics", "create")
    orders = write(site.scratch / "orders.jsonl", [event for event in shop(5, 30) if event["stream"] == "orders"])
    alerts: Grant = ("topic", f"{PREFIX}churn.alerts", "read")
    inputs = [grant for grant in operator_grants() if grant[2] == "write"]
    kafka.forbid(SCRAM_USER, alerts, *inputs)
    try:
        assert "docs/access.md" in site.run("publish", str(orders)).err.splitlines()[-1]
        # Of a topic that may be empty nothing is fetched, and so nothing refused, unless it is followed.
        assert "docs/access.md" in site.run("alerts", "--follow").line
        assert "docs/access.md" in site.run("topics", "create", TOPIC_PREFIX="elsewhere.").line
    finally:
        kafka.allow(SCRAM_USER, alerts, *inputs)


@pytest.mark.timeout(300)
def test_workers_that_are_refused_end_with_one_line(site: Site, kafka: SecuredKafka) -> None:
    site.done("topics", "create")
    scores: Grant = ("topic", f"{PREFIX}churn.scores", "write")
    kafka.forbid(SCRAM_USER, scores)
    try:
        with (
            site.worker(KAFKA_SASL_PASSWORD="wrong-canary") as stranger,
            site.worker(REDIS_URL=site.settings["REDIS_URL"].replace("redis-canary", "wrong-canary")) as no_redis,
            site.worker() as less,
            site.worker(KAFKA_GROUP_ID="foreign") as outsider,
        ):
            for worker, words in (
                (stranger, ["CHURNWATCH_KAFKA_SASL_PASSWORD"]),
                (no_redis, ["CHURNWATCH_REDIS_PASSWORD"]),
                (less, [f"write {PREFIX}churn.scores", "docs/access.md"]),
                (outsider, ["the group foreign", "docs/access.md"]),
            ):
                assert worker.ended(60) == 1
                last = worker.log.splitlines()[-1]
                assert all(word in last for word in words), worker.log
                assert "Traceback" not in worker.log
                assert "canary" not in worker.log
    finally:
        kafka.allow(SCRAM_USER, scores)


def test_the_settings_of_a_site_are_read_as_they_are_meant(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in site.settings.items():
        monkeypatch.setenv(f"CHURNWATCH_{name}", value)
    settings = load_settings()
    assert settings.redis_username == "churnwatch"
    assert REDIS_PASSWORD not in repr(settings)
