"""Models by coqui's names: found where coqui-tts puts them, fetched only if that is allowed."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_tts.domain import Utterance
from voicemesh_tts.engines.coqui import CoquiEngine, CoquiOptions
from voicemesh_tts.engines.coqui.published import catalogue_file

pytestmark = pytest.mark.integration

VITS = "tts_models/en/vctk/vits"
XTTS = "tts_models/multilingual/multi-dataset/xtts_v2"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def shop(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ThreadingHTTPServer]:
    """A loopback server with one model, and a catalogue that names it."""
    archive = tmp_path / "shop" / "packed" / VITS.replace("/", "--")
    shutil.copytree(models / "chorus", archive)
    shutil.make_archive(str(tmp_path / "shop" / "model"), "zip", archive.parent)
    handler = partial(Quiet, directory=str(tmp_path / "shop"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/model.zip"
    items = {
        "vctk": {"vits": {"github_rls_url": url, "license": "apache 2.0", "default_vocoder": None}},
        "gone": {"vits": {"github_rls_url": f"{url}.gone", "license": "", "default_vocoder": None}},
        "strict": {"vits": {"github_rls_url": url, "license": "CPML", "tos_required": True}},
    }
    catalogue = tmp_path / "models.json"
    catalogue.write_text(json.dumps({"tts_models": {"en": items}}), encoding="utf-8")
    monkeypatch.setattr("voicemesh_tts.engines.coqui.published.catalogue_file", lambda: catalogue)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def engine_with(home: Path, *names: str, **options: object) -> CoquiEngine:
    return CoquiEngine(home, CoquiOptions(models=names, device="cpu", **options))  # type: ignore[arg-type]


def test_a_model_that_coqui_has_fetched_is_found_with_its_licence(
    models: Path, tmp_path: Path
) -> None:
    shutil.copytree(models / "chorus", tmp_path / "tts" / VITS.replace("/", "--"))

    voices = engine_with(tmp_path, VITS).voices()

    assert [voice.id for voice in voices] == [
        f"coqui:{VITS}",
        f"coqui:{VITS}#ED",
        f"coqui:{VITS}#p225",
    ]
    assert {voice.license for voice in voices} == {"apache 2.0"}
    assert voices[1].display_name == "Vctk ED"


def test_the_catalogue_of_coqui_is_read_without_importing_it() -> None:
    path = catalogue_file()

    assert path is not None
    assert "xtts_v2" in path.read_text(encoding="utf-8")


@pytest.mark.usefixtures("shop")
def test_nothing_is_fetched_unless_allowed(tmp_path: Path) -> None:
    engine = engine_with(tmp_path / "home", VITS)

    assert engine.voices() == []
    with pytest.raises(ConfigurationError, match="COQUI__DOWNLOAD is not true"):
        engine.load(f"coqui:{VITS}")
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("shop")
def test_a_model_is_fetched_and_speaks(tmp_path: Path, say: Callable[..., Utterance]) -> None:
    engine = engine_with(tmp_path / "home", VITS, download=True)

    voices = {voice.id: voice for voice in engine.voices()}

    assert voices[f"coqui:{VITS}#p225"].license == "apache 2.0"
    assert list(engine.speak(say("Hello.", f"coqui:{VITS}#p225")))[-1].last


@pytest.mark.usefixtures("shop")
def test_what_cannot_be_fetched_is_left_out_and_said_at_load(tmp_path: Path) -> None:
    gone, unknown = "tts_models/en/gone/vits", "tts_models/en/nowhere/vits"
    engine = engine_with(tmp_path / "home", gone, unknown, VITS, download=True)

    assert {voice.id.partition("#")[0] for voice in engine.voices()} == {f"coqui:{VITS}"}
    with pytest.raises(StartupError, match="could not be fetched"):
        engine.load(f"coqui:{gone}")
    with pytest.raises(ConfigurationError, match="does not publish"):
        engine.load(f"coqui:{unknown}")


@pytest.mark.usefixtures("shop")
def test_a_licence_is_not_accepted_by_fetching(tmp_path: Path) -> None:
    name = "tts_models/en/strict/vits"
    refusing = engine_with(tmp_path / "home", name, download=True)

    assert refusing.voices() == []
    with pytest.raises(ConfigurationError, match="ACCEPT_CPML=true"):
        refusing.load(f"coqui:{name}")

    accepting = engine_with(tmp_path / "home", name, download=True, accept_cpml=True)
    assert {voice.license for voice in accepting.voices()} == {"CPML"}


def test_xtts_is_looked_for_in_the_cache_of_the_hub_and_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    engine = engine_with(tmp_path, XTTS, accept_cpml=True)

    assert engine.voices() == []
    with pytest.raises(ConfigurationError, match="COQUI__DOWNLOAD is not true"):
        engine.load(f"coqui:{XTTS}")


def test_xtts_in_the_cache_of_the_hub_is_found(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "hub" / "models--tts-hub--XTTS-v2"
    shutil.copytree(models / "cloner", cache / "snapshots" / "abc123")
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc123", encoding="utf-8")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    engine = engine_with(tmp_path, XTTS, accept_cpml=True)

    voices = {voice.id: voice for voice in engine.voices()}

    assert voices[f"coqui:{XTTS}#Ada_Lovelace"].license == "CPML"
    assert engine.can_clone
