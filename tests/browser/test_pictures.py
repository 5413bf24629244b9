"""The documentation's pictures: taken of the console that the tests look at, on request.

    SCREENSHOTS=1 python -m pytest tests/browser/test_pictures.py

Where no font has Chinese characters, pictures in Chinese would show boxes: they are left as they are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import expect

from tests.browser import shop
from tests.browser.conftest import PHONE, Visiting

FOLDER: Final = Path(__file__).parents[2] / "docs/images"
BYTES_MAX: Final = 150_000
SIZE: Final = (1120, 760)
PAGES: Final = {
    "today": "/",
    "alerts": "/alerts",
    "customer": f"/customer?id={shop.PERSON}",
    "model": "/model",
    "operations": "/operations",
}
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


def languages() -> list[str]:
    """The languages that this machine has characters for."""
    lists = shutil.which("fc-list")
    found = subprocess.run([lists, ":lang=zh-cn"], capture_output=True, check=True).stdout if lists else b""
    return ["en", "zh"] if found.strip() else ["en"]


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="SCREENSHOTS=1 takes the documentation's pictures anew")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_pictures_of_every_page(visit: Visiting, scheme: Literal["light", "dark"]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for language in languages():
        made = visit(language, size=SIZE, scheme=scheme)
        for name, address in PAGES.items():
            page = made.open(address)
            for chart in page.locator(".chart").all():
                expect(chart.locator("canvas")).to_be_visible()
            page.screenshot(path=FOLDER / f"console-{name}-{language}-{scheme}.png")
    phone = visit("en", size=PHONE, scheme=scheme)
    phone.open("/alerts").screenshot(path=FOLDER / f"console-phone-en-{scheme}.png")


def test_pictures_are_small_and_complete() -> None:
    """A page of the documentation has several."""
    found = {path.name: path.stat().st_size for path in FOLDER.glob("console-*.png")}
    assert {f"console-{name}-en-{scheme}.png" for name in PAGES for scheme in SCHEMES} <= found.keys()
    assert {name: size for name, size in found.items() if size > BYTES_MAX} == {}
