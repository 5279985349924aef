"""What must be there before anything is started, each said in one sentence with its mend."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from voicemesh_chassis.addresses import check_free
from voicemesh_chassis.service import StartupError
from voicemesh_launcher.needed_models import needed_models
from voicemesh_launcher.programs import LaunchError
from voicemesh_models import (
    ModelError,
    ModelMissingError,
    ModelStore,
    default_models_dir,
    load_catalogue,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

from voicemesh_launcher.programs import Endpoint, Program

__all__ = ("check_installed", "check_models", "check_ports")


def check_installed(programs: Sequence[Program]) -> None:
    """Returns if the services are installed in this environment.

    Raises:
        LaunchError: naming those that are not.
    """
    missing = [program.name for program in programs if find_spec(program.module) is None]
    if missing:
        paths = " ".join(f"services/{name}" for name in missing)
        msg = f"{', '.join(missing)} not installed in this environment: run `pip install {paths}`."
        raise LaunchError(msg)


def check_models(environ: Mapping[str, str] | None = None) -> None:
    """Returns if the models that the settings name are in the model directory and intact.

    Args:
        environ: the settings; None means those of this process.

    Raises:
        LaunchError: naming those that are missing or damaged, and how to get them.
    """
    usual = default_models_dir()
    missing: dict[Path, list[str]] = {}
    sentences: list[str] = []
    try:
        catalogue = load_catalogue()
        for needed in needed_models(os.environ if environ is None else environ):
            if needed.name not in catalogue.models:
                continue  # the service says what its setting may be
            root = needed.root or usual
            try:
                ModelStore(root, catalogue).require(needed.name)
            except ModelMissingError:
                missing.setdefault(root, []).append(needed.name)
            except ModelError as error:
                sentences.append(_findable(str(error)))
    except ModelError as error:  # of the catalogue itself
        raise LaunchError(str(error)) from error
    sentences = [*(_missing(root, names) for root, names in missing.items()), *sentences]
    if sentences:
        raise LaunchError("\n".join(sentences))


def _missing(root: Path, names: Sequence[str]) -> str:
    return _findable(f"{ModelMissingError(names, root)}.")


def _findable(sentence: str) -> str:
    """Gives the command of a sentence its path, where the person's shell would not find it."""
    name = "voicemesh-models"
    script = Path(sys.executable).with_name(name)
    on_path = shutil.which(name)
    if not script.exists() or (on_path is not None and script.samefile(on_path)):
        return sentence
    shown = script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script
    return sentence.replace(f"`{name} ", f"`{shlex.quote(str(shown))} ")


async def check_ports(programs: Sequence[Program]) -> None:
    """Returns if every port is free.

    Raises:
        LaunchError: one line for each port that is not, naming port, service and setting.
    """
    sentences = list(_repeated(programs))
    for program, endpoint in _endpoints(programs):
        try:
            await check_free(endpoint.host, endpoint.port, endpoint.setting)
        except StartupError as error:
            sentences.append(f"{program.name} ({endpoint.purpose}): {error}")
    if sentences:
        raise LaunchError("\n".join(sentences))


def _endpoints(programs: Sequence[Program]) -> Iterator[tuple[Program, Endpoint]]:
    for program in programs:
        for endpoint in program.endpoints.values():
            yield program, endpoint


def _repeated(programs: Sequence[Program]) -> Iterator[str]:
    first: dict[int, Endpoint] = {}
    for _, endpoint in _endpoints(programs):
        earlier = first.setdefault(endpoint.port, endpoint)
        if earlier is not endpoint and endpoint.port != 0:
            yield (
                f"{earlier.setting} and {endpoint.setting} are both {endpoint.port}: "
                "set one of them to another port."
            )
