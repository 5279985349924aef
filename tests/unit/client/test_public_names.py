"""What the package offers is complete and speaks no protobuf."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import voicemesh_client

pytestmark = pytest.mark.unit

CLIENTS = ("Datasets", "Models", "SpeechToText", "TextToSpeech", "Trainer", "TrainingJobs")
MODULES = sorted(
    module.name for module in pkgutil.walk_packages(voicemesh_client.__path__, "voicemesh_client.")
)


@pytest.mark.parametrize("name", MODULES)
def test_public_names_exist_once(name: str) -> None:
    module = importlib.import_module(name)
    names = getattr(module, "__all__", ())

    assert all(hasattr(module, each) for each in names)
    assert list(names) == sorted(
        names, key=lambda each: (not each.isupper(), each[0].islower(), each)
    )


def test_everything_public_has_a_docstring() -> None:
    for name in voicemesh_client.__all__:
        offered = getattr(voicemesh_client, name)
        if inspect.isclass(offered) or inspect.isfunction(offered):
            assert offered.__doc__, name


def test_no_message_of_the_contract_is_in_a_public_signature() -> None:
    for name in CLIENTS:
        for _, method in inspect.getmembers(getattr(voicemesh_client, name), inspect.isfunction):
            if not method.__name__.startswith("_"):
                assert "pb" not in str(inspect.signature(method))
