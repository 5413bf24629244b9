"""The documentation as a site: `make docs` builds it into build/docs, and a link that leads nowhere is an error.

The pages are plain Markdown that reads well as files, so their links are those of files, and some leave docs/: to the README, to
manifests, to schemas. `_as_on_the_site` turns them into what the site has instead; the files stay as they are.

    README.md, CHANGELOG.md, data/README.md    a page each: what stands in their place under project/ gets their text
    any other file                             is taken along, to be downloaded
    a folder, or another README                its name, without a link
"""

# ruff: noqa: INP001 - Sphinx reads this file by its path

import os
import re
from pathlib import Path, PurePosixPath
from typing import Final

from sphinx.application import Sphinx

project = "Churnwatch"
copyright = "the Churnwatch authors"  # noqa: A001 - Sphinx asks for this name
author = copyright
extensions = ["myst_parser"]
exclude_patterns = ["schemas/**"]
myst_heading_anchors = 5
# Settings are regular expressions here and there, and [^,] is no footnote.
myst_disable_syntax = ["footnote_def", "footnote_inline", "footnote_ref"]
suppress_warnings = ["toc.empty_glob"]  # a chapter may be empty, its heading then does not show
highlight_language = "none"
nitpicky = True

html_theme = "furo"
html_title = "Churnwatch"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_permalinks_icon = "#"
html_theme_options = {"navigation_with_keys": True}

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = PurePosixPath("docs")
PAGES_ELSEWHERE: Final = {
    "README.md": "docs/project/readme.md",
    "CHANGELOG.md": "docs/project/changes.md",
    "data/README.md": "docs/project/data.md",
}
FENCE: Final = re.compile(r"^ *(```|~~~).*?^ *\1 *$", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"(?P<text>\[(?:[^\[\]]|\[[^\[\]]*\])*\])\((?P<target>[^()\s]+)\)")


def _as_on_the_site(text: str, written_in: str, shown_in: str) -> str:
    """Rewrite the links of a page.

    Args:
        text: the Markdown.
        written_in: the file that it stands in, from the top of the repository; its links are relative to that.
        shown_in: the page that shows it, likewise.
    """

    def rewritten(match: re.Match[str]) -> str:
        target, _, anchor = match["target"].partition("#")
        if "://" in target or target.startswith("mailto:") or not target:
            return match[0]
        path = os.path.normpath(PurePosixPath(written_in).parent / target)
        path = PAGES_ELSEWHERE.get(path, path)
        if (ROOT / path).is_dir() or (path.endswith(".md") and DOCS not in PurePosixPath(path).parents):
            return match["text"][1:-1]
        relative = os.path.relpath(path, PurePosixPath(shown_in).parent)
        return f"{match['text']}({relative}{'#' if anchor else ''}{anchor})"

    parts, at = [], 0
    for fence in FENCE.finditer(text):
        parts += [LINK.sub(rewritten, text[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*parts, LINK.sub(rewritten, text[at:])])


def _on_source_read(_: Sphinx, docname: str, source: list[str]) -> None:
    """Give Sphinx a page as the site has it."""
    page = str(DOCS / f"{docname}.md")
    for elsewhere, shown_in in PAGES_ELSEWHERE.items():
        if page == shown_in:
            text = (ROOT / elsewhere).read_text(encoding="utf-8")
            source[0] = _as_on_the_site(text, elsewhere, page)
            return
    source[0] = _as_on_the_site(source[0], page, page)


def setup(app: Sphinx) -> None:
    """Take part in the build."""
    app.connect("source-read", _on_source_read)
