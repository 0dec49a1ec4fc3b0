"""Sphinx builds the static site of this manual: ``tox run -e docs``.

The pages are plain Markdown that GitHub shows as well, so no page has a directive. Two things are added here: the
navigation, from the links of each ``index.md``; and links to files outside of this folder become paths.
"""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
REPOSITORY = DOCS.parent

project = "mfagate"
project_copyright = "the mfagate contributors"
release = version = re.findall(r'__version__ = "(.*)"', (REPOSITORY / "src/mfagate/core/version.py").read_text())[0]
extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["_build"]
nitpicky = True
smartquotes = False
# Examples in JSON and TOML are shortened with "…".
suppress_warnings = ["misc.highlighting_failure"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"mfagate {version}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["manual.css"]
pygments_style = "tango"
pygments_dark_style = "monokai"
copybutton_prompt_text = r"\$ "
copybutton_prompt_is_regexp = True

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s:]+)\)")


def _adapt(app: Sphinx, name: str, source: list[str]) -> None:
    """Name files outside of the manual by their path, and add the navigation to an index."""
    folder = (DOCS / name).parent
    text = source[0]
    navigation = "".join(_navigation(text, folder)) if name.rpartition("/")[2] == "index" else ""
    source[0] = _LINK.sub(lambda link: _outside(link, folder), text) + navigation


def _outside(link: re.Match[str], folder: Path) -> str:
    label, target = link.groups()
    path = (folder / target.partition("#")[0]).resolve()
    if path.is_relative_to(DOCS):
        return link.group()
    shown = f"`{path.relative_to(REPOSITORY)}`"
    return shown if label.strip("`") in shown else f"{label} ({shown})"


def _navigation(text: str, folder: Path) -> list[str]:
    """Return a hidden toctree for each section, with the pages that the section links to."""
    trees = []
    seen: set[Path] = set()
    for section in re.split(r"(?m)^## ", text)[1:]:
        caption, _, body = section.partition("\n")
        names = [target.partition("#")[0] for _, target in _LINK.findall(body)]
        pages = [page for page in dict.fromkeys(names) if page.endswith(".md") and (folder / page).is_file()]
        pages = [page for page in pages if (folder / page).resolve().is_relative_to(DOCS)]
        pages = [page for page in pages if (folder / page).resolve() not in seen]
        seen.update((folder / page).resolve() for page in pages)
        if pages:
            entries = "\n".join(page.removesuffix(".md") for page in pages)
            trees.append(f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n")
    return trees


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("source-read", _adapt)
