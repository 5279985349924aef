"""What must be there before anything is started, each said in one sentence with its mend."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from voicemesh_chassis.addresses import check_free
from voicemesh_chassis.service import StartupError
from voicemesh_launcher.programs import LaunchError
from voicemesh_models import (
    ModelError,
    ModelMissingError,
    ModelStore,
    default_models_dir,
    load_catalogue,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from voicemesh_launcher.programs import Endpoint, Program

__all__ = ("check_installed", "check_models", "check_ports")

_DEFAULT_GROUP = "default"


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


def check_models() -> None:
    """Returns if the models of the group `default` are in the model directory and intact.

    Raises:
        LaunchError: naming those that are missing or damaged, and how to get them.
    """
    root = default_models_dir()
    missing: list[str] = []
    sentences: list[str] = []
    try:
        catalogue = load_catalogue()
        store = ModelStore(root, catalogue)
        for name in catalogue.expand([_DEFAULT_GROUP]):
            try:
                store.require(name)
            except ModelMissingError:
                missing.append(name)
            except ModelError as error:
                sentences.append(str(error))
    except ModelError as error:  # of the catalogue itself
        raise LaunchError(str(error)) from error
    if missing:
        names = ", ".join(missing)
        noun, verb = ("model", "is") if len(missing) == 1 else ("models", "are")
        command = f"voicemesh models pull {' '.join(missing)}"
        sentences.insert(0, f"{noun} {names} {verb} not in {root}: run `{command}`.")
    if sentences:
        raise LaunchError("\n".join(sentences))


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
