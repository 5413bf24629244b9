"""The documentation builds as a site without a warning, fetches nothing from elsewhere, and takes in every page."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", str(folder / "doctrees")]
    built = subprocess.run(
        [*command, "docs", str(folder / "html")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return folder / "html"


def test_every_page_is_in_the_site(site: Path) -> None:
    pages = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")}
    assert [str(page) for page in sorted(pages) if not (site / page).is_file()] == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = re.compile(
        r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="(https?:)?//|<link\b[^>]*\bhref="(https?:)?//"""
    )
    imported = re.compile(r"""(?:@import|url\()\s*["']?(?:https?:)?//""")
    assert [page.name for page in site.rglob("*.html") if fetched.search(page.read_text())] == []
    assert [sheet.name for sheet in site.rglob("*.css") if imported.search(sheet.read_text())] == []


def test_links_to_files_lead_to_them_on_the_site_as_well(site: Path) -> None:
    readme = (site / "project" / "readme.html").read_text()
    assert 'href="../alerts.html#' in readme
    assert re.search(r'href="\.\./_downloads/[0-9a-f]+/docker-compose\.yml"', readme)


@pytest.mark.parametrize("picture", sorted((DOCS / "images").glob("*.svg")), ids=lambda picture: picture.name)
def test_every_drawing_says_what_it_shows_and_fetches_nothing(picture: Path) -> None:
    drawn = ET.parse(picture).getroot()
    named = {part.tag.rpartition("}")[2] for part in drawn}
    assert {"title", "desc"} <= named
    assert "prefers-color-scheme: dark" in picture.read_text()
    assert "href=" not in picture.read_text()
