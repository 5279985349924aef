"""The engine on voices of a few weights: loading, sharing, failing, speaking."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_models import ModelStore, load_catalogue
from voicemesh_tts.domain import Span, SpokenWord, Utterance, WordTime
from voicemesh_tts.engines.piper import PiperEngine, PiperOptions
from voicemesh_tts.ports import Piece

pytestmark = pytest.mark.unit

PutVoice = Callable[..., Path]
TINY = "piper:xx_XX-tiny-low"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[PiperEngine]:
    store = ModelStore(tmp_path / "models", load_catalogue())
    made = PiperEngine(store, PiperOptions(voice_dirs=(tmp_path,), threads=1))
    yield made
    made.close()


def said(text: str, voice: str = TINY, rate: float = 1.0) -> Utterance:
    words = tuple(SpokenWord(word, Span(0, 0)) for word in text.split())
    return Utterance(words, voice, rate)


def sound(pieces: Iterator[Piece] | list[Piece]) -> np.ndarray:
    return np.concatenate([piece.samples for piece in pieces])


def test_a_catalogue_voice_that_is_missing_says_how_to_pull_it(engine: PiperEngine) -> None:
    with pytest.raises(StartupError, match=r"voicemesh-models pull .*piper-en_US-joe-medium"):
        engine.load("piper:en_US-joe-medium")


def test_a_voice_that_nobody_has_is_a_bad_setting(engine: PiperEngine) -> None:
    with pytest.raises(ConfigurationError, match="VOICEMESH_TTS_DEFAULT_VOICE"):
        engine.load("piper:nobody")


@pytest.mark.parametrize("damaged", [".onnx", ".onnx.json"])
def test_a_damaged_file_is_named(put_voice: PutVoice, engine: PiperEngine, damaged: str) -> None:
    voice = put_voice()
    assert [each.id for each in engine.voices()] == [TINY]
    voice.with_name(voice.stem + damaged).write_bytes(b"{}")

    with pytest.raises(StartupError, match=r"xx_XX-tiny-low\.onnx cannot be loaded"):
        engine.load(TINY)
    assert not engine.is_loaded(TINY)


def test_a_missing_package_says_how_to_install_it(
    put_voice: PutVoice, engine: PiperEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_voice()
    monkeypatch.setitem(sys.modules, "piper", None)

    with pytest.raises(StartupError, match=r"pip install 'voicemesh-tts\[piper\]'"):
        engine.load(TINY)


def test_a_loaded_voice_can_be_unloaded_and_comes_back(
    put_voice: PutVoice, engine: PiperEngine
) -> None:
    size = put_voice().stat().st_size
    assert engine.memory_bytes(TINY) == 0

    engine.load(TINY)
    assert engine.is_loaded(TINY)
    assert engine.memory_bytes(TINY) > size
    engine.unload(TINY)
    engine.unload(TINY)

    assert not engine.is_loaded(TINY)
    assert engine.memory_bytes(TINY) == 0
    assert len(sound(engine.speak(said("hello"))))
    assert engine.is_loaded(TINY)


def test_a_voice_goes_on_that_was_unloaded_while_it_spoke(
    put_voice: PutVoice, engine: PiperEngine
) -> None:
    put_voice()
    whole = sound(engine.speak(said("hello world " * 20)))
    pieces = engine.speak(said("hello world " * 20))

    first = next(pieces)
    engine.unload(TINY)

    assert (np.concatenate([first.samples, sound(pieces)]) == whole).all()


def test_speakers_of_one_file_share_its_memory_and_sound_different(
    put_voice: PutVoice, make_model: Callable[..., onnx.ModelProto], engine: PiperEngine
) -> None:
    speakers = {"anna": 0, "bert": 1}
    put_voice(
        model=make_model(speakers=2), num_speakers=2, speaker_id_map=speakers, default_speaker_id=1
    )
    anna, bert = f"{TINY}#anna", f"{TINY}#bert"
    by_anna, by_bert, by_default = (
        sound(engine.speak(said("hello", voice))) for voice in (anna, bert, TINY)
    )

    assert len(by_anna) != len(by_bert) or (by_anna != by_bert).any()
    assert (by_default == by_bert).all()
    share = engine.memory_bytes(anna)
    assert engine.memory_bytes(bert) == engine.memory_bytes(TINY) == share
    engine.unload(TINY)
    engine.unload(anna)
    assert engine.memory_bytes(bert) == pytest.approx(3 * share, abs=3)


def test_a_voice_that_cannot_be_split_still_speaks(
    put_voice: PutVoice, make_model: Callable[..., onnx.ModelProto], engine: PiperEngine
) -> None:
    model = make_model()
    node = next(each for each in model.graph.node if each.output[0] == "tanh")
    node.op_type = "Softmax"
    node.attribute.append(onnx.helper.make_attribute("axis", 2))
    put_voice(model=model)

    (piece,) = engine.speak(said("hello world " * 5))

    assert piece.last
    assert len(piece.samples) > 1000
    assert piece.words == ()


def test_halves_that_are_damaged_are_made_again(
    put_voice: PutVoice, engine: PiperEngine, tmp_path: Path
) -> None:
    put_voice()
    engine.load(TINY)
    engine.unload(TINY)
    halves = sorted((tmp_path / ".voicemesh-split").glob("*.onnx"))
    contents = [half.read_bytes() for half in halves]
    for half in halves:
        half.write_bytes(b"damaged")

    engine.load(TINY)

    assert len(halves) == 3
    assert [half.read_bytes() for half in halves] == contents


def test_a_split_voice_that_cannot_be_kept_speaks_all_the_same(
    put_voice: PutVoice, engine: PiperEngine, tmp_path: Path, cache: Path
) -> None:
    put_voice()
    # Files in the way do to root, too, what read-only directories do to others.
    (tmp_path / ".voicemesh-split").write_bytes(b"")
    cache.write_bytes(b"")

    pieces = list(engine.speak(said("hello world " * 20)))

    assert len(pieces) > 1
    assert pieces[0].words


def test_threads_speak_with_one_voice_at_once(put_voice: PutVoice, engine: PiperEngine) -> None:
    put_voice()
    texts = [f"{'hello world ' * count}bread." for count in (1, 8, 3, 12, 5, 2)]
    alone = [sound(engine.speak(said(text))) for text in texts]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: sound(engine.speak(said(text))), texts))

    for one, other in zip(alone, together, strict=True):
        assert one == pytest.approx(other, abs=1e-6)


def test_one_piece_says_that_it_is_the_last(put_voice: PutVoice, engine: PiperEngine) -> None:
    put_voice()

    pieces = list(engine.speak(said("hello world, " * 10 + "hello. hold her bread. " * 3)))

    assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert len(pieces) >= 3
    assert list(engine.speak(said("...  ---"))) == []
    assert list(engine.speak(said(""))) == []


def test_words_follow_one_another_over_pieces_and_sentences(
    put_voice: PutVoice, engine: PiperEngine
) -> None:
    put_voice()
    utterance = said("hello world, hold her bread. " * 12)

    made, rate = 0, 8_000
    told: list[WordTime] = []
    for piece in engine.speak(utterance):
        made += len(piece.samples)
        told += piece.words
        assert all(word.end_s <= made / rate + 1e-9 for word in piece.words)
    assert [word.index for word in told] == list(range(len(utterance.words)))
    assert all(word.start_s < word.end_s for word in told)
    assert all(one.end_s <= other.start_s for one, other in itertools.pairwise(told))
    assert told[-1].end_s > 0.9 * made / rate


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.5, 3.0])
def test_a_rate_makes_it_as_much_shorter_or_longer(
    put_voice: PutVoice, engine: PiperEngine, rate: float
) -> None:
    put_voice()
    text = "hello world, hold her bread. hello. " * 4
    usual, changed = list(engine.speak(said(text))), list(engine.speak(said(text, rate=rate)))

    length = len(sound(changed))
    assert length == pytest.approx(len(sound(usual)) / rate, rel=0.2)
    last = [word for piece in changed for word in piece.words][-1]
    assert 0.9 * length / 8_000 < last.end_s <= length / 8_000 + 0.05


@pytest.mark.parametrize(
    ("options", "installed", "cause"),
    [
        ({"runtime": "openvino"}, False, "RUNTIME or __PRECISION needs OpenVINO, which is not"),
        ({"precision": "bfloat16"}, False, "RUNTIME or __PRECISION needs OpenVINO, which is not"),
        ({"precision": "bfloat16", "runtime": "onnxruntime"}, True, "RUNTIME is onnxruntime"),
        ({"runtime": "openvino"}, True, "OpenVINO cannot be used"),
    ],
)
def test_a_runtime_that_is_asked_for_and_not_there_is_a_bad_setting(
    put_voice: PutVoice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    installed: bool,
    cause: str,
) -> None:
    put_voice()
    # One that is found and cannot be imported is of another machine.
    without_openvino(monkeypatch, found=installed)
    store = ModelStore(tmp_path / "models", load_catalogue())
    with (
        closing(PiperEngine(store, PiperOptions(voice_dirs=(tmp_path,), **options))) as engine,
        pytest.raises(ConfigurationError, match=cause),
    ):
        engine.load(TINY)


@pytest.mark.parametrize("found", [False, True])
def test_without_a_usable_openvino_a_voice_speaks_all_the_same(
    put_voice: PutVoice, engine: PiperEngine, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    put_voice()
    usual = sound(engine.speak(said("hello world " * 20)))
    engine.unload(TINY)
    without_openvino(monkeypatch, found=found)

    spoken = sound(engine.speak(said("hello world " * 20)))

    assert spoken.shape == usual.shape
    assert np.mean((spoken - usual) ** 2) < 1e-3 * np.mean(usual**2)


def without_openvino(monkeypatch: pytest.MonkeyPatch, *, found: bool) -> None:
    """Lets it be found or not, and in either case not imported."""
    find = importlib.util.find_spec

    def look(name: str, package: str | None = None) -> Any:
        if name == "openvino":
            return find("json") if found else None
        return find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", look)
    monkeypatch.setitem(sys.modules, "openvino", None)
