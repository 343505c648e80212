# SPDX-FileCopyrightText: 2026 mailops.relay contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms of the house: who may import whom."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
MODULE_UTILS = ROOT / "plugins/module_utils"
COLLECTION = "ansible_collections.mailops.relay."
PURE = ("_connector", "_accounts", "_policy", "_engine")


def imports(path: Path) -> Iterator[str]:
    """Absolute names of what a file imports; relative ones are resolved from its place in the collection."""
    package = COLLECTION + ".".join(path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            yield f"{base}.{node.module}".strip(".") if node.module else base


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def is_stdlib(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize("path", files(*(f"plugins/module_utils/{name}" for name in PURE)), ids=lambda path: path.stem)
def test_pure_code_knows_the_standard_library_and_pure_code_only(path: Path) -> None:
    mine = path.relative_to(MODULE_UTILS).parts[0]
    allowed = PURE[: PURE.index(mine) + 1]
    for name in imports(path):
        ours = name.removeprefix(COLLECTION + "plugins.module_utils.")
        assert is_stdlib(name) or ours.split(".")[0] in allowed, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", files("plugins/module_utils/_host"), ids=lambda path: path.stem)
def test_what_any_host_needs_knows_no_backend(path: Path) -> None:
    ours = [name.removeprefix(COLLECTION + "plugins.module_utils.") for name in imports(path) if not is_stdlib(name)]
    assert {name.split(".")[0] for name in ours} <= {"_connector", "_host"}


@pytest.mark.parametrize("path", files("plugins/plugin_utils/_exchange"), ids=lambda path: path.stem)
def test_what_knows_exchange_does_not_know_ansible(path: Path) -> None:
    ours = [name.removeprefix(COLLECTION) for name in imports(path) if not is_stdlib(name)]
    rooms = (*(f"plugins.module_utils.{name}." for name in PURE), "plugins.plugin_utils._exchange.")
    assert not [name for name in ours if not name.startswith(rooms)]


@pytest.mark.parametrize("path", files("plugins/module_utils", "plugins/modules"), ids=lambda path: path.stem)
def test_what_runs_on_targets_never_imports_what_runs_on_the_controller(path: Path) -> None:
    assert not [name for name in imports(path) if "plugin_utils" in name or ".action" in name]


@pytest.mark.parametrize("path", files("roles/relay_server/files"), ids=lambda path: path.stem)
def test_the_daemon_knows_neither_ansible_nor_us(path: Path) -> None:
    assert not [
        name
        for name in imports(path)
        if name.partition(".")[0] in ("ansible", "ansible_collections") and "roles" not in name
    ]


@pytest.mark.parametrize("path", files("plugins/modules"), ids=lambda path: path.stem)
def test_a_module_file_only_wires(path: Path) -> None:
    tree = ast.parse(path.read_text())
    code = [node for node in tree.body if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant))]
    assert sum((node.end_lineno or 0) - node.lineno + 1 for node in code) <= 50


def test_the_walk_sees_the_rooms() -> None:
    assert len(files("plugins/module_utils")) > 20
    assert len(files("plugins/modules")) >= 3
    assert any(imports(path) for path in files("plugins/plugin_utils/_exchange"))
