"""`churnwatch model` over a store in memory: what is shown, the history, rolling back and pinning."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from churnwatch import cli
from churnwatch.commands import model
from models.candidates import Promotion, Trial
from models.drift import Drift, Moved, Shift
from models.guide import Guide
from models.measures import Reliability
from models.standing import Standing
from models.store import LearnerCommit, MemoryLearner, MemoryLearnerStore
from models.verdict import Verdict
from streams.time import DAY_MS
from tests.unit.models.samples import guide

STANDING = Standing(
    verdict=Verdict("fair", "Better than silence alone."),
    segments={"loyal": {"auc": 0.64, "rule_auc": 0.55}},
    reliability=[Reliability(3, 0.35, 0.31, 1_200)],
    trials=[Trial("mean", -0.004, -5.0, 9_000, 20, wins=False), Trial("stacked", 0.005, 6.0, 9_000, 20, wins=True)],
    promotions=[Promotion(2 * DAY_MS, "mean", "within", "test", 0.0031, 4.2, 8_000, 18)],
    drift=Drift(
        {"orders_30d": 0.31, "gap_mean_days": 0.02},
        [Moved("orders_30d", 0.31, 0.0, 1e-9, 0.34, 0.61)],
        base_rate=Shift(0.6, 0.48, warns=True),
        errors=Shift(0.001, 0.004, warns=False),
    ),
)


@pytest.fixture(autouse=True)
def stored(monkeypatch: pytest.MonkeyPatch) -> MemoryLearner:
    data = MemoryLearner()

    @asynccontextmanager
    async def opened() -> AsyncIterator[MemoryLearnerStore]:
        yield MemoryLearnerStore(data)

    monkeypatch.setattr(model, "_store", opened)
    return data


def commit(data: MemoryLearner, *guides: Guide) -> None:
    async def write() -> None:
        store = MemoryLearnerStore(data)
        await store.open()
        await store.commit(LearnerCommit(b"", 1, guides[-1].learnt_until_ms, guides))

    asyncio.run(write())


def three(data: MemoryLearner) -> None:
    first = guide(1, DAY_MS, quality={"auc": 0.6, "recent_auc": 0.61})
    later = [
        guide(v, v * DAY_MS, recipe="within", weights=(0.0, 1.0), standing=STANDING, quality={"auc": 0.7})
        for v in (2, 3)
    ]
    commit(data, first, *later)


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.run(["model", *words]) == 0
    return capsys.readouterr().out


def test_the_model_that_scores_is_shown(stored: MemoryLearner, capsys: pytest.CaptureFixture[str]) -> None:
    three(stored)
    shown = ran(capsys, "show")
    for words in (
        "Model 3, learnt from 300 examples",
        "It scores.",
        "How far to trust it: FAIR. Better than silence alone.",
        "Champion: within (0 × logistic regression, 1 × regression within weeks)",
        "from 0.3",
        "better: CHURNWATCH_MODEL_RECIPE makes it champion",
        "Changes of champion",
        "orders_30d: 0 for 61 % of the customers, for 34 % before (index 0.31)",
        "Drift: Of 100 customers 48 leave, 60 did before.",
        "gap_mean_days (stability index)",
    ):
        assert words in shown


def test_an_alerts_version_can_be_looked_up(stored: MemoryLearner, capsys: pytest.CaptureFixture[str]) -> None:
    three(stored)
    shown = ran(capsys, "show", "1")
    assert "Model 1," in shown
    assert "Model 3 scores now; this one is kept." in shown
    assert "Champion: mean" in shown
    assert cli.run(["model", "show", "9"]) == 1
    assert "model 9 is not kept, of all models 1 to 3 are" in capsys.readouterr().err


def test_programs_read_the_same(stored: MemoryLearner, capsys: pytest.CaptureFixture[str]) -> None:
    three(stored)
    told = json.loads(ran(capsys, "show", "--json"))
    assert told["verdict"] == {"band": "fair", "reason": "Better than silence alone."}
    assert (told["recipe"], told["weights"]) == ("within", {"logistic": 0.0, "within": 1.0})
    assert told["segments"]["loyal"]["auc"] == 0.64
    assert told["reliability"] == [{"risk_from": 0.3, "said": 0.35, "came": 0.31, "examples": 1_200}]
    assert told["challengers"]["stacked"]["wins"] is True
    assert told["promotions"][0]["to"] == "within"
    assert set(told["drift"]["warnings"]) == {"inputs", "base_rate"}
    assert told["drift"]["excess_loss"] == {"before": 0.001, "now": 0.004}


def test_the_history_says_who_spoke_and_who_took_over(
    stored: MemoryLearner, capsys: pytest.CaptureFixture[str]
) -> None:
    three(stored)
    shown = ran(capsys, "history")
    assert "recipe" in shown
    assert "not yet known" in shown
    assert "Changes of champion" in shown
    told = json.loads(ran(capsys, "history", "--json"))
    assert [(entry["version"], entry["recipe"], entry["verdict"]) for entry in told["models"]] == [
        (1, "mean", "not_yet_known"),
        (2, "within", "fair"),
        (3, "within", "fair"),
    ]
    assert [change["from"] for change in told["promotions"]] == ["mean"]


def test_rolling_back_pinning_and_undoing_it(stored: MemoryLearner, capsys: pytest.CaptureFixture[str]) -> None:
    three(stored)
    assert "Model 2 scores from now on" in ran(capsys, "rollback")
    assert "Model 2 (pinned)" in ran(capsys, "show")
    assert json.loads(ran(capsys, "rollback", "1", "--json")) == {"pinned": 1}
    assert "The newest model scores again." in ran(capsys, "rollback", "--newest")
    assert "Model 3 scores from now on" in ran(capsys, "rollback", "--pin")
    commit(stored, guide(4, 4 * DAY_MS))
    assert "Model 3 (pinned)" in ran(capsys, "show")
    assert cli.run(["model", "rollback", "--pin", "--newest"]) == 2


@pytest.mark.parametrize("words", [["show"], ["rollback"], ["rollback", "--pin"]])
def test_before_there_is_a_model(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["model", *words]) == 1
    assert "there is no" in capsys.readouterr().err
