"""What the page on the console says of keys, limits and the model's word is what the code has."""

import re
from pathlib import Path

import pytest

from console import app, board, customer_page, questions
from console.access import SESSION_SECONDS, SESSIONS_MAX
from console.alerts_page import ACTIONS, SNOOZE_DAYS
from console.texts import language
from models import verdict

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/console.md").read_text()


def test_every_key_does_what_the_page_says() -> None:
    script = (app.STATIC / "console.js").read_text()
    keys = dict(re.findall(r"(\w): \"(\w+)\"", script[script.index("const KEYS") :].partition("}")[0]))
    assert sorted(keys.values()) == sorted(ACTIONS)
    for key, status in keys.items():
        assert (
            f"| `{key}` | {language('en').word('state', status).replace('snoozed', f'snoozed, for {SNOOZE_DAYS} days')} |"
            in PAGE
        )


@pytest.mark.parametrize(
    "said",
    [
        f"| rows | {questions.PAGE_ROWS} at a time",
        f"| timeline | {customer_page.ENTRIES_MAX} entries",
        f"{app.REQUESTS_BURST} at once and {app.REQUESTS_PER_SECOND:.0f} a second",
        f"{app.SIGN_INS_BURST} attempts to sign in, then one in {1 / app.SIGN_INS_PER_SECOND:.0f} seconds",
        f"| sessions | {SESSIONS_MAX:,} |",
        f"{board.LISTENERS_MAX} browsers",
        f"A session lasts {SESSION_SECONDS // 3600} hours",
    ],
)
def test_limits_are_those_of_the_code(said: str) -> None:
    assert said in PAGE


def test_the_word_on_the_model_is_the_verdict() -> None:
    rows = dict(re.findall(r"^\| (learning|poor|fair|good) \| (.*) \|$", PAGE, re.MULTILINE))
    assert [language("en").word("verdict", band) for band in verdict.VERDICTS] == list(rows)
    assert f"{verdict.LABELS_MIN:,} outcomes" in rows["learning"]
    assert f"fewer than {verdict.CLASS_MIN} of" in rows["learning"]
    for word, least, above, off in (
        ("poor", verdict.AUC_POOR, verdict.ABOVE_RULE_POOR, verdict.ECE_POOR),
        ("fair", verdict.AUC_GOOD, verdict.ABOVE_RULE_GOOD, verdict.ECE_GOOD),
    ):
        assert f"fewer than {100 * least:.0f} of 100" in rows[word]
        assert f"less than {100 * above:.0f} more" in rows[word]
        assert f"more than {100 * off:.0f} points" in rows[word]
