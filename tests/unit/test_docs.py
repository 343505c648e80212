# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages for people: their links lead somewhere, and their prose is at most 100 columns wide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.ansible import Playbook
from support.checkout import ROOT

_COLUMNS = 100
_FENCE = re.compile(r"^ *```.*?^ *```$\n?", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\[\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)
_PLAYBOOK = re.compile(r"^```ya?ml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"\bdocs/[\w.-]+\.(?:md|ps1)\b")
_NAMING = (".py", ".yml", ".ps1", ".md", ".toml")
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "roles").glob("*/README.md")),
]


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _prose(page: Path) -> str:
    """Without what stands between fences; line by line the same, so that numbers stay right."""
    return _FENCE.sub(lambda found: "\n" * found[0].count("\n"), page.read_text())


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them: lower case, hyphens for blanks, of punctuation only hyphens and underscores."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in _HEADING.findall(_prose(page))}


def _is_dead(page: Path, link: str) -> bool:
    path, _hash, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return not target.exists() or bool(anchor and anchor not in _anchors(target))


def test_every_page_is_looked_at() -> None:
    assert {_name(page) for page in PAGES} >= {"README.md", "docs/architecture.md", "roles/relay_server/README.md"}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    links = [link for link in _LINK.findall(_prose(page)) if "://" not in link]
    assert [link for link in links if _is_dead(page, link)] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_prose_is_at_most_100_columns_wide(page: Path) -> None:
    """Tables and code may be wider."""
    lines = enumerate(_prose(page).splitlines(), 1)
    wide = [number for number, line in lines if len(line) > _COLUMNS and not line.startswith("|")]
    assert wide == []


def test_playbooks_on_the_pages_are_playbooks(tmp_path: Path) -> None:
    """Modules, roles and their places are there; what they do is tested where they are run."""
    texts = [text for page in PAGES for text in _PLAYBOOK.findall(page.read_text()) if "  hosts: " in text]
    files = [tmp_path / f"{number}.yml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    assert len(files) >= 8
    run = Playbook("--syntax-check", "-i", "localhost,", *map(str, files))
    assert run.status == 0, run.output


def test_files_name_pages_that_are_there() -> None:
    """In comments, docstrings and messages."""
    folders = (ROOT / name for name in ("plugins", "roles", "playbooks", "changelogs", "tests"))
    files = (path for folder in folders for path in folder.rglob("*") if path.suffix in _NAMING)
    named = {(_name(path), name) for path in files for name in _NAME.findall(path.read_text())}
    assert named
    assert [(path, name) for path, name in sorted(named) if not (ROOT / name).exists()] == []
