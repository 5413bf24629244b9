"""Both languages say the same things, and the pages ask for nothing that nobody has written."""

import re
import string
import tomllib
from pathlib import Path

import pytest

from console.questions import BANDS, REASONS, SEGMENTS, STATES
from console.texts import FOLDER, LANGUAGES, language, preferred

TEMPLATES = FOLDER.parent / "templates"
NOW_MS = 1_772_442_000_000


def names(text: str) -> set[str]:
    """The {names} that a text wants filled in."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_text_is_in_every_language_with_the_same_names() -> None:
    english, *others = (language(name).texts for name in LANGUAGES)
    for texts in others:
        assert list(texts) == list(english)
        assert {key: names(text) for key, text in texts.items()} == {key: names(text) for key, text in english.items()}


def test_chinese_has_its_fonts_wherever_the_browser_runs() -> None:
    """On Windows, macOS and iOS, Linux, Android; and charts, whose library has fonts of its own, are written in the same."""
    static = FOLDER.parent / "static"
    style = (static / "console.css").read_text()
    found = re.search(r"--fonts: ([^;]+);", style)
    assert found is not None
    named = {font.strip('" ') for font in found[1].split(",")}
    assert named >= {
        "PingFang SC",
        "Microsoft YaHei",
        "Noto Sans CJK SC",
        "Noto Sans SC",
        "WenQuanYi Micro Hei",
        "sans-serif",
    }
    assert re.findall(r"font(?:-family)?: ([^;]*(?:system-ui|sans)[^;]*);", style) == []
    assert ".chart .uplot { font-family: inherit; }" in style
    assert 'ink("--fonts")' in (static / "charts.js").read_text()


def test_the_files_are_all_languages() -> None:
    assert {file.stem for file in FOLDER.glob("??.toml")} == set(LANGUAGES)
    for file in FOLDER.glob("*.toml"):
        tomllib.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_a_page_asks_for_texts_that_there_are(template: Path) -> None:
    known = language("en").texts
    text = template.read_text(encoding="utf-8")
    asked = set(re.findall(r"""\bt\(["']([a-z_.]+)["']\s*[,)]""", text))
    assert asked <= set(known), asked - set(known)
    for start in re.findall(r"""\bt\(["']([a-z_.]+)["']\s*~""", text):
        assert any(key.startswith(start) for key in known)


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_code_of_the_data_has_a_word(name: str) -> None:
    spoken = language(name)
    codes = {"band": ("low", *BANDS), "segment": SEGMENTS, "reason": REASONS, "state": STATES}
    for kind, known in codes.items():
        for code in known:
            assert f"{kind}.{code}" in spoken.texts
    assert spoken.word("segment", "a new one") == "a new one"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["zh-CN", "zh", "en"], "zh"),
        (["zh-Hant-TW"], "zh"),
        (["zh-TW"], "zh"),
        (["de", "en-GB"], "en"),
        (["en-US", "zh"], "en"),
        (["fr"], "en"),
        ([], "en"),
        (["*"], "en"),
        (["x" * 500], "en"),
    ],
)
def test_the_browser_s_preference_decides(asked: list[str], found: str) -> None:
    assert preferred(asked) == found


def test_numbers_money_and_times_are_written_as_people_there_do() -> None:
    english, chinese = language("en"), language("zh")
    assert (english.number(12_345.678), english.percent(0.834)) == ("12,345.68", "83%")
    assert (english.money(1234.5, "EUR"), english.money(12.3, "EUR"), english.money(1234.5, None)) == (
        "€1,234",
        "€12.30",
        "1,234",
    )
    assert chinese.money(8.5, "CNY") == "¥8.50"
    assert (english.ago(NOW_MS - 3 * 86_400_000, NOW_MS), chinese.ago(NOW_MS - 60_000, NOW_MS)) == (
        "3 days ago",
        "1分钟前",
    )
    assert english.instant(NOW_MS).startswith("Mar 2, 2026")
    assert chinese.instant(NOW_MS).startswith("2026年3月2日")
