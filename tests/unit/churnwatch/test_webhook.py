"""What is posted, how it is signed, what an answer means, how long is waited; and which settings are refused."""

import base64
import hashlib
import hmac
import json
import random
from typing import Any

import msgspec
import pytest

from alerts.alert import Action, Reason, ValueAtRisk, encode
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from churnwatch.settings_webhook import secret_key, some_of
from churnwatch.webhook_body import TEXT_CHARS_MAX, posting, slack_text
from churnwatch.webhook_client import WebhookClient, shown_address
from churnwatch.webhook_retry import Backoff, retry_after_ms, verdict
from churnwatch.webhook_signing import signature, signed, signing_keys
from streams.errors import ConfigError
from tests.unit.churnwatch.test_cli_alerts import ALERT

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
URL = "https://hooks.example/services/T0/B0/token"


def changed(**fields: Any) -> Any:
    return msgspec.structs.replace(ALERT, **fields)


# -- signing -----------------------------------------------------------------------------------------------------------


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The vector of its reference libraries (TestWebhookSign)."""
    key = secret_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_changed_both_sign() -> None:
    keys = signing_keys(Settings(webhook_secret=SECRET, webhook_secret_old=OLD))
    headers = signed(keys, "a1", 1_700_000_000_999, b"{}")
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("a1", "1700000000")
    wanted = [hmac.new(key, b"a1.1700000000.{}", hashlib.sha256).digest() for key in keys]
    assert headers["webhook-signature"].split() == [f"v1,{base64.b64encode(digest).decode()}" for digest in wanted]


def test_without_a_secret_nothing_is_signed() -> None:
    assert signed(signing_keys(Settings()), "a1", 0, b"").keys() == {"webhook-id", "webhook-timestamp"}


# -- answers and waiting -----------------------------------------------------------------------------------------------


def test_only_what_no_repetition_mends_is_given_up_at_once() -> None:
    assert {status for status in range(200, 600) if verdict(status) == "delivered"} == set(range(200, 300))
    refused = {status for status in range(200, 600) if verdict(status) == "refused"}
    assert {400, 410, 413, 422} <= refused <= set(range(400, 500))
    # What concerns the receiver as a whole is waited for, or every alert of a wrongly configured hour were lost to the dead letters.
    assert not refused & {401, 403, 404, 405, 408, 425, 429}


def test_waits_double_up_to_the_most_and_jitter_is_full() -> None:
    backoff = Backoff(1000, 300_000)
    assert [backoff.wait_ms(failures, lambda: 1.0) for failures in (1, 2, 3, 9, 10, 1000)] == [
        *(1000, 2000, 4000),
        *(256_000, 300_000, 300_000),
    ]
    assert backoff.wait_ms(5, lambda: 0.0) == 0
    draw = random.Random(1).random
    waits = [backoff.wait_ms(4, draw) for _ in range(1000)]
    assert 3500 < sum(waits) / 1000 < 4500
    assert max(waits) < 8000


def test_retry_after_is_honoured_and_bounded() -> None:
    backoff = Backoff(1000, 300_000)
    assert backoff.wait_ms(1, lambda: 0.5, 90_000) == 90_000
    assert backoff.wait_ms(1, lambda: 0.5, 10**12) == 300_000
    assert backoff.wait_ms(9, lambda: 1.0, 5) == 256_000
    for odd in ("", "-1", "1.5", "³", "9" * 400, "tomorrow", "Thu, 99 Jan 1970 00:00:30 GMT"):
        asked = retry_after_ms(odd, 0)
        assert asked is None or asked >= 0
    assert retry_after_ms("Thu, 01 Jan 1970 00:00:30 GMT", 60_000) == 0


# -- what is posted ----------------------------------------------------------------------------------------------------


def test_json_is_the_message_byte_for_byte() -> None:
    value = encode(ALERT)
    made = posting(ALERT, value, "Jürgen\r\nx: 1", "json")
    assert (made.alert_id, made.body) == ("a0", value)
    assert made.headers["churnwatch-owner"] == "J%C3%BCrgen%0D%0Ax: 1".replace(":", "%3A")
    assert "churnwatch-owner" not in posting(ALERT, value, None, "json").headers


def test_slack_gets_who_why_how_much_and_what_to_do() -> None:
    text = json.loads(posting(ALERT, b"", "north", "slack").body)["text"]
    assert text.splitlines() == [
        "*Customer `ann` may leave* (loyal, high), looked after by north",
        "Risk 83%; 412.50 EUR at stake over 365 days",
        "• 2 logins in 30 days, 11 in the 30 before (engagement)",
        "→ Call them: it helps",
        "_Alert a0, 1998-01-01T00:00:00Z_",
    ]


def test_nobody_can_call_the_channel_by_being_a_customer() -> None:
    hostile = "<!channel> & `x`\n> *bold*"
    text = slack_text(
        changed(
            customer_id=hostile,
            value_at_risk=ValueAtRisk(1.0, "<>&"),
            reasons=[Reason("price", 1.0, hostile, {})],
            actions=[Action("x", hostile, hostile)],
        ),
        hostile,
    )
    assert "<" not in text
    assert ">" not in text
    assert "`&lt;!channel&gt; &amp; 'x' &gt; *bold*`" in text
    assert len(text.splitlines()) == 5


@pytest.mark.parametrize(
    ("kind", "said"),
    [("opened", "may leave"), ("escalated", "more likely"), ("resolved", "no longer"), ("churned", "has left")],
)
def test_every_kind_has_its_words(kind: Any, said: str) -> None:
    text = slack_text(changed(kind=kind), None)
    assert said in text.splitlines()[0]
    assert ("Call them" in text) == (kind != "resolved")


def test_who_is_held_out_is_to_be_left_alone_and_a_text_has_an_end() -> None:
    assert "Leave them alone" in slack_text(changed(holdout=True, actions=[], reasons=[]), None)
    assert len(slack_text(changed(reasons=[Reason("price", 1.0, "x" * 9999, {})]), None)) == TEXT_CHARS_MAX


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "ftp://crm.example/",
        "file:///etc/passwd",
        "hush.example/alerts",
        "https:///alerts",
        "https://a b/",
        "http://a:x/",
        "http://a\n/",
    ],
)
def test_only_http_is_spoken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_WEBHOOK_URL", url)
    with pytest.raises(ConfigError, match="CHURNWATCH_WEBHOOK_URL must be an address such as") as caught:
        load_settings()
    assert url not in str(caught.value)


@pytest.mark.parametrize("secret", ["sesame", "whsec_c2Vzc2Ft", "whsec_" + "%" * 40])
def test_a_secret_is_long_and_random(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_WEBHOOK_SECRET", secret)
    with pytest.raises(ConfigError, match="openssl rand") as caught:
        load_settings()
    assert secret not in str(caught.value)


def test_settings_that_do_not_fit_together_are_named() -> None:
    for odd, said in (
        ({"webhook_secret_old": OLD}, "CHURNWATCH_WEBHOOK_SECRET_OLD needs"),
        ({"webhook_backoff_ms": "1h"}, "CHURNWATCH_WEBHOOK_BACKOFF must not exceed"),
        ({"webhook_bands": "high,low"}, "CHURNWATCH_WEBHOOK_BANDS"),
        ({"webhook_name": "a b"}, "CHURNWATCH_WEBHOOK_NAME"),
    ):
        with pytest.raises(ConfigError, match=said):
            load_settings(**odd)


def test_a_list_may_be_empty_and_holds_known_words_only() -> None:
    for good in ("", "high", "high,watch"):
        assert load_settings(webhook_bands=good).webhook_bands == good
    assert some_of("a") == "^(((a),)*(a))?$"


def test_neither_address_nor_secret_is_shown() -> None:
    settings = Settings(webhook_url=URL, webhook_secret=SECRET)
    assert "services/T0" not in repr(settings)
    assert SECRET not in repr(settings)
    assert shown_address(URL) == "https://hooks.example"
    assert shown_address("http://bob:hush@[::1]:8080/x?token=1#y") == "http://[::1]:8080"


async def test_without_an_address_there_is_nothing_to_do() -> None:
    with pytest.raises(ConfigError, match="CHURNWATCH_WEBHOOK_URL is not set"):
        WebhookClient(Settings(), lambda: 0)


async def test_an_authority_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ConfigError, match="CHURNWATCH_WEBHOOK_TLS_CA"):
        WebhookClient(Settings(webhook_url=URL, webhook_tls_ca="/no/such.pem"), lambda: 0)
