"""Redis over TLS with a user of few rights: what works, what is refused, and what is said then. Its worker takes part in test_access_kafka."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from churnwatch.child import free_port
from features.redis_client import RedisOptions, connect
from features.redis_store import RedisStore
from features.store import Commit
from streams.errors import StoreUnavailable
from tests.integration.access_servers import Certificates, SecuredRedis, secured_redis
from tests.integration.access_site import Said, Site
from tests.integration.redis_servers import real_redis
from tests.integration.test_access_kafka import documented_acl

pytestmark = pytest.mark.slow

PASSWORD = "redis-canary-3b7f"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def redis(certificates: Certificates) -> Iterator[SecuredRedis]:
    with secured_redis(certificates) as server:
        yield server


@pytest.fixture
def site(
    redis: SecuredRedis,
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Site:
    redis.admin(*documented_acl("cw", PASSWORD))
    return Site(
        {
            "REDIS_URL": f"rediss://127.0.0.1:{redis.port}/0",
            "REDIS_USERNAME": "churnwatch",
            "REDIS_PASSWORD": PASSWORD,
            "REDIS_TLS_CA": certificates["ca.pem"],
        },
        tmp_path,
        monkeypatch,
        capsys,
    )


def history(site: Site, **changed: str | None) -> Said:
    """A command that needs nothing but Redis."""
    return site.run("model", "history", **changed)


def options(redis: SecuredRedis, certificates: Certificates) -> RedisOptions:
    ca = Path(certificates["ca.pem"])
    return RedisOptions(f"rediss://127.0.0.1:{redis.port}", "churnwatch", PASSWORD, tls_ca=ca, retries=0)


async def work(store: RedisStore, meta: bytes) -> None:
    await store.open()
    await store.commit(Commit(meta=meta, writes={"ann": b"y"}))


def test_the_right_login_is_enough(site: Site) -> None:
    assert history(site).code == 0
    url = site.settings["REDIS_URL"].replace("//", f"//churnwatch:{PASSWORD}@")
    assert history(site, REDIS_URL=url, REDIS_USERNAME=None, REDIS_PASSWORD=None).code == 0


WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    "password": ({"REDIS_PASSWORD": "wrong-canary"}, "CHURNWATCH_REDIS_PASSWORD"),
    "user": ({"REDIS_USERNAME": "nobody"}, "CHURNWATCH_REDIS_USERNAME"),
    "authority": ({"REDIS_TLS_CA": "other_ca.pem"}, "CHURNWATCH_REDIS_TLS_CA"),
    "no authority": ({"REDIS_TLS_CA": None}, "CHURNWATCH_REDIS_TLS_CA"),
    "no such file": ({"REDIS_TLS_CA": "none.pem"}, "CHURNWATCH_REDIS_TLS_CA"),
    "namespace": ({"REDIS_NAMESPACE": "foreign"}, "CHURNWATCH_REDIS_USERNAME"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_who_is_not_let_in_is_told_the_setting(fault: str, site: Site, certificates: Certificates) -> None:
    changed, setting = WRONG[fault]
    files = {
        name: certificates[value] if value and value.endswith(".pem") else value for name, value in changed.items()
    }
    said = history(site, **files)
    assert setting in said.line
    assert "canary" not in said.line


@pytest.mark.parametrize(("name", "told"), [("expired", "has expired"), ("otherhost", "CHURNWATCH_REDIS_URL")])
def test_a_certificate_that_is_no_good_is_refused(name: str, told: str, site: Site, certificates: Certificates) -> None:
    with secured_redis(certificates, name) as server:
        assert told in history(site, REDIS_URL=f"rediss://127.0.0.1:{server.port}/0").line


def test_mutual_tls(site: Site, certificates: Certificates) -> None:
    with secured_redis(certificates, clients="yes") as server:
        nobody = {"REDIS_URL": f"rediss://127.0.0.1:{server.port}/0", "REDIS_USERNAME": None, "REDIS_PASSWORD": None}
        own = {"REDIS_TLS_CERT": certificates["client.pem"], "REDIS_TLS_KEY": certificates["client.key"]}
        assert history(site, **nobody, **own).code == 0
        assert "CHURNWATCH_REDIS_TLS_CERT" in history(site, **nobody).line


def test_tls_on_one_side_only(site: Site) -> None:
    plain = {"REDIS_URL": site.settings["REDIS_URL"].replace("rediss", "redis"), "REDIS_TLS_CA": None}
    assert "begin with rediss://" in history(site, **plain).line
    with real_redis() as port:
        said = history(site, REDIS_URL=f"rediss://127.0.0.1:{port}/0", REDIS_TIMEOUT="1s")
    assert "begin with redis://" in said.line


def test_one_that_is_away_is_no_refusal(site: Site) -> None:
    said = history(site, REDIS_URL=f"rediss://127.0.0.1:{free_port()}/0")
    assert "is Redis up?" in said.line


@pytest.mark.parametrize("command", ["watch", "mset", "multi", "exec", "set"])
async def test_a_store_that_may_not_says_so_and_goes_on_once_it_may(
    command: str, site: Site, redis: SecuredRedis, certificates: Certificates
) -> None:
    del site  # it has set the user's rights
    client = connect(options(redis, certificates))
    store = RedisStore(client, "cw", 3)
    try:
        await store.open()
        redis.admin("ACL", "SETUSER", "churnwatch", f"-{command}")
        with pytest.raises(StoreUnavailable, match=r"CHURNWATCH_REDIS_USERNAME.*docs/access\.md"):
            await work(store, b"1" + command.encode())
        redis.admin("ACL", "SETUSER", "churnwatch", f"+{command}")
        await work(store, b"2" + command.encode())
        assert await store.load(["ann"]) == [b"y"]
    finally:
        await store.close()
        await client.aclose()


async def test_a_password_that_changes_under_way_is_waited_for(
    site: Site, redis: SecuredRedis, certificates: Certificates
) -> None:
    del site
    client = connect(options(redis, certificates))
    store = RedisStore(client, "cw", 4)
    try:
        await store.open()
        redis.admin("ACL", "SETUSER", "churnwatch", "resetpass", ">another")
        redis.admin("CLIENT", "KILL", "USER", "churnwatch")
        with pytest.raises(StoreUnavailable, match="CHURNWATCH_REDIS_PASSWORD") as failure:
            await store.open()
        assert "canary" not in str(failure.value)
        redis.admin("ACL", "SETUSER", "churnwatch", "resetpass", f">{PASSWORD}")
        await store.open()
    finally:
        with contextlib.suppress(StoreUnavailable):
            await store.close()
        await client.aclose()
