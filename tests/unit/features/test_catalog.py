"""The catalogue and its page."""

from pathlib import Path

import pytest

from churnwatch import feature_docs
from features.catalog import CATALOG, INDEX, NAMES, PRESENCE
from features.past import PRESENCE_DAYS_MAX
from features.tiles import WINDOW_DAYS_MAX

FAMILIES = {"engagement", "price", "service", "product", "competition"}


def test_every_feature_is_declared_once_and_wholly() -> None:
    assert len(set(NAMES)) == len(NAMES) == len(CATALOG) == len(INDEX) >= 30
    assert [INDEX[name] for name in NAMES] == list(range(len(CATALOG)))
    for feature in CATALOG:
        assert feature.name.isidentifier()
        assert feature.unit
        assert feature.meaning[0].isupper()
        assert feature.meaning.endswith(".")


def test_every_family_of_reasons_has_features() -> None:
    assert {feature.family for feature in CATALOG} == FAMILIES


def test_no_window_is_longer_than_the_tiles_that_it_reads() -> None:
    assert max(feature.window_days or 0 for feature in CATALOG if feature not in PRESENCE) == WINDOW_DAYS_MAX
    assert max(feature.window_days or 0 for feature in PRESENCE) == PRESENCE_DAYS_MAX


def test_a_logarithm_can_be_taken_of_what_is_scaled_by_it() -> None:
    assert all(feature.default >= 0 for feature in CATALOG if feature.scale == "log")


def test_the_page_is_up_to_date_and_names_every_feature_once() -> None:
    page = feature_docs.page()
    assert feature_docs.PAGE.read_text(encoding="utf-8") == page
    assert all(page.count(f"| `{name}` |") == 1 for name in NAMES)


def test_check_tells_an_old_page_from_a_new_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "features.md"
    assert feature_docs.main(["--check", str(page)]) == 1
    assert feature_docs.main([str(page)]) == 0
    assert feature_docs.main(["--check", str(page)]) == 0
    page.write_text("old", encoding="utf-8")
    assert feature_docs.main(["--check", str(page)]) == 1
    assert feature_docs.main([str(tmp_path / "nowhere" / "features.md")]) == 1
    assert "run `python -m churnwatch.feature_docs`" in capsys.readouterr().err
