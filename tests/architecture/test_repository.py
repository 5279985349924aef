"""The repository says nothing untrue or private, and names the same things the same way."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = re.compile(
    r"https?://[^\s\"')]*(?:/simple/|/packages/|\.whl|\.tgz|\.deb)"
    r"|(?:^|[\s\"'(=])/(?:work|root|home)/"
    r"|registry\.npmjs|files\.python" + r"hosted",
    re.MULTILINE,
)
SERVICES = ("bot", "stt", "trainer", "tts")


def tracked_texts() -> dict[str, str]:
    """Every text file that git knows or would add, by path."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = {}
    for name in listing.splitlines():
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if b"\0" not in content:
                texts[name] = content.decode("utf-8")
    return texts


def project(folder: str) -> dict[str, object]:
    """The `[project]` table of a package."""
    table = tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))
    found = table["project"]
    assert isinstance(found, dict)
    return found


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    texts = tracked_texts()

    found = [
        f"{name}: {m.group()!r}" for name, text in texts.items() for m in PRIVATE.finditer(text)
    ]

    assert len(texts) > 50
    assert found == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_called_the_same_everywhere(service: str) -> None:
    found = project(f"services/{service}")

    assert found["name"] == f"voicemesh-{service}"
    scripts = found["scripts"]
    assert isinstance(scripts, dict)
    assert scripts[f"voicemesh-{service}"] == f"voicemesh_{service}.__main__:main"
    assert (ROOT / "services" / service / "README.md").exists()
    assert (ROOT / "services" / service / "Dockerfile").exists()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_installed_without_the_others(service: str) -> None:
    declared = project(f"services/{service}")["dependencies"]
    assert isinstance(declared, list)

    names = {re.split(r"[ @<>=\[;~!]", entry, maxsplit=1)[0] for entry in declared}

    assert not names & {f"voicemesh-{other}" for other in SERVICES}


def test_every_package_has_one_version_and_licence() -> None:
    folders = [*(ROOT / "libs").iterdir(), *(ROOT / "services").iterdir()]
    projects = [project(str(path.relative_to(ROOT))) for path in folders]

    assert {str(found["version"]) for found in projects} == {"0.1.0"}
    assert {str(found["license"]) for found in projects} == {"Apache-2.0"}


def test_own_dependencies_of_a_package_have_an_upper_bound() -> None:
    unbounded = []
    for path in [*(ROOT / "libs").iterdir(), *(ROOT / "services").iterdir()]:
        dependencies = project(str(path.relative_to(ROOT)))["dependencies"]
        assert isinstance(dependencies, list)
        for entry in dependencies:
            if entry.startswith("voicemesh-"):
                continue
            specifier = Requirement(entry).specifier
            if not any(clause.operator in {"<", "==", "~=", "<="} for clause in specifier):
                unbounded.append(f"{path.name}: {entry}")

    assert unbounded == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
