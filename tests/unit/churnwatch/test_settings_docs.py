"""docs/settings.md says what the code says."""

from pathlib import Path

import pytest

from churnwatch import settings_docs
from churnwatch.settings import Settings
from churnwatch.settings_sources import public_name


def test_the_page_is_up_to_date() -> None:
    assert settings_docs.PAGE.read_text(encoding="utf-8") == settings_docs.page()


def test_every_setting_is_on_the_page_once() -> None:
    page = settings_docs.page()
    assert [page.count(f"| `{public_name(field)}` |") for field in Settings.model_fields] == [1] * len(
        Settings.model_fields
    )


def test_check_tells_an_old_page_from_a_new_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "settings.md"
    assert settings_docs.main(["--check", str(page)]) == 1
    assert settings_docs.main([str(page)]) == 0
    assert settings_docs.main(["--check", str(page)]) == 0
    page.write_text("old")
    assert settings_docs.main(["--check", str(page)]) == 1
    with pytest.raises(SystemExit, match="2"):
        settings_docs.main(["--what"])
    assert "run `python -m churnwatch.settings_docs`" in capsys.readouterr().err
