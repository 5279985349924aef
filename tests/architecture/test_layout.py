"""Every file stays the size of its noun, and every package says what it exports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("libs", "services")
    for path in (ROOT / folder).rglob("src/**/*.py")
    if "contracts" not in path.parts
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAX_SOURCE_LINES = 400
MAX_TEST_LINES = 800
MAX_FUNCTION_LINES = 60
VAGUE_NAMES = {"utils", "helpers", "common", "manager", "base", "misc", "const"}


def name_of(path: Path) -> str:
    """The path as people say it."""
    return str(path.relative_to(ROOT))


def test_no_file_outgrows_its_noun() -> None:
    limits = [(path, MAX_SOURCE_LINES) for path in SOURCES] + [(p, MAX_TEST_LINES) for p in TESTS]

    too_long = [
        name_of(path)
        for path, limit in limits
        if len(path.read_text(encoding="utf-8").splitlines()) > limit
    ]

    assert SOURCES
    assert too_long == []


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES
    ]

    assert too_long == []


def test_every_module_is_named_by_a_noun() -> None:
    assert [name_of(path) for path in SOURCES if path.stem in VAGUE_NAMES] == []


def test_every_public_module_says_what_it_is_and_exports() -> None:
    silent = []
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if ast.get_docstring(tree) is None:
            silent.append(f"{name_of(path)}: no docstring")
        exported = [
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            and any(isinstance(name, ast.Name) and name.id == "__all__" for name in node.targets)
        ]
        if not path.stem.startswith("_") and "migrations" not in path.parts and not exported:
            silent.append(f"{name_of(path)}: no __all__")

    assert silent == []


def test_the_four_services_share_one_skeleton() -> None:
    expected = {"__init__", "__main__", "settings", "domain", "ports", "errors"}

    # A noun that outgrew its file is a package of the same name.
    missing = {
        service.name: sorted(expected - {path.stem for path in package.iterdir()})
        for service in sorted((ROOT / "services").iterdir())
        for package in (service / "src").iterdir()
        if package.name.startswith("voicemesh_")
    }

    assert missing == {"bot": [], "stt": [], "trainer": [], "tts": []}
