"""XTTS through coqui's own streaming code: speakers, languages, callers at once, cloned voices."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_tts.domain import Utterance, Voice
from voicemesh_tts.engines.coqui import CoquiEngine, CoquiOptions
from voicemesh_tts.errors import LanguageNotSpokenError, UnpronounceableTextError
from voicemesh_tts.ports import Piece

pytestmark = pytest.mark.integration

ADA, ALAN = "coqui:cloner#Ada_Lovelace", "coqui:cloner#Alan_Turing"
TEXT = "It is the first time that I speak."
OTHER = "Something else, and of another length."


def sound_of(pieces: list[Piece]) -> NDArray[np.float32]:
    return np.concatenate([piece.samples for piece in pieces])


@pytest.fixture
def own(models: Path, tmp_path: Path) -> Iterator[CoquiEngine]:
    """An engine of the test's own, with XTTS alone."""
    options = CoquiOptions(model_dirs=(models / "cloner",), accept_cpml=True, device="cpu")
    engine = CoquiEngine(tmp_path, options)
    yield engine
    engine.close()


def cloned(id_: str = "coqui:clone-1", language: str = "de") -> Voice:
    return Voice(
        id_,
        "Somebody",
        (language,),
        24_000,
        license="CPML",
        tenant="guild",
        create_time=datetime.now(UTC),
    )


def test_the_speakers_are_voices_that_show_the_licence(engine: CoquiEngine) -> None:
    voices = {voice.id: voice for voice in engine.voices()}

    assert {ADA, ALAN, "coqui:cloner"} <= set(voices)
    assert voices[ADA].license == "CPML"
    assert voices[ADA].sample_rate_hertz == 24_000
    assert voices[ADA].language_codes == ("en", "de", "ja", "pl")
    assert not voices[ADA].has_word_times


def test_without_the_licence_accepted_there_are_no_voices_of_it(
    models: Path, tmp_path: Path
) -> None:
    engine = CoquiEngine(tmp_path, CoquiOptions(model_dirs=(models,), device="cpu"))

    assert {voice.license for voice in engine.voices()} == {""}
    assert not engine.can_clone
    with pytest.raises(ConfigurationError, match=r"Coqui Public Model License.*ACCEPT_CPML=true"):
        engine.load(ADA)


def test_sound_comes_while_it_is_thought_of(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    pieces = list(engine.speak(say(TEXT, ADA)))

    assert len([piece for piece in pieces if len(piece.samples)]) >= 3
    assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert all(piece.samples.dtype == np.float32 and piece.samples.ndim == 1 for piece in pieces)
    sound = sound_of(pieces)
    # 17 tokens of 1024 samples at 22.05 kHz: the most that this model makes.
    assert len(sound) / 24_000 == pytest.approx(17 * 1024 / 22_050, rel=0.05)
    assert 1e-4 < np.abs(sound).max() <= 1


def test_the_pieces_are_what_coqui_streams(
    models: Path, engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    from TTS.config import load_config
    from TTS.tts.models.xtts import Xtts

    ours = sound_of(list(engine.speak(say(TEXT, ADA))))

    config = load_config(models / "cloner" / "config.json")
    theirs = Xtts(config)
    theirs.load_checkpoint(config, checkpoint_dir=str(models / "cloner"), eval=True)
    latents, embedding = theirs.speaker_manager.speakers["Ada Lovelace"].values()
    chunks = list(
        theirs.inference_stream(
            TEXT.lower(),
            "en",
            latents,
            embedding,
            stream_chunk_size=6,
            top_k=1,
            repetition_penalty=5.0,
        )
    )
    whole = np.concatenate([chunk.cpu().numpy() for chunk in chunks])
    assert ours.shape == whole.shape
    np.testing.assert_allclose(ours, whole, atol=1e-5)


def test_speakers_and_texts_differ(engine: CoquiEngine, say: Callable[..., Utterance]) -> None:
    ada = sound_of(list(engine.speak(say(TEXT, ADA))))
    alan = sound_of(list(engine.speak(say(TEXT, ALAN))))
    first = sound_of(list(engine.speak(say(TEXT, "coqui:cloner"))))

    np.testing.assert_allclose(ada, first, atol=1e-6)
    assert ada.shape != alan.shape or np.abs(ada - alan).max() > 1e-4


def test_callers_who_take_turns_do_not_get_each_others_text(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    utterances = [say(TEXT, ADA), say("Short.", ALAN), say(OTHER, ADA, language="de")]
    alone = [sound_of(list(engine.speak(utterance))) for utterance in utterances]

    speakers = {number: engine.speak(each) for number, each in enumerate(utterances)}
    heard: dict[int, list[Piece]] = {number: [] for number in speakers}
    while speakers:
        for number, pieces in list(speakers.items()):
            piece = next(pieces, None)
            if piece is None:
                del speakers[number]
            else:
                heard[number].append(piece)

    for number, sound in enumerate(alone):
        np.testing.assert_allclose(sound_of(heard[number]), sound, atol=1e-5)


def test_a_speaking_rate_stretches_the_sound(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    plain = sound_of(list(engine.speak(say("Short.", ADA))))
    slow = sound_of(list(engine.speak(say("Short.", ADA, rate=0.5))))
    quick = sound_of(list(engine.speak(say("Short.", ADA, rate=2.0))))

    assert len(slow) == pytest.approx(2 * len(plain), rel=0.1)
    assert len(quick) == pytest.approx(0.5 * len(plain), rel=0.1)


def test_a_text_longer_than_the_model_takes_is_cut_at_words(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    once = sound_of(list(engine.speak(say("word " * 11, ADA))))

    pieces = list(engine.speak(say("word " * 22 + "x" * 80, ADA)))

    assert [piece.last for piece in pieces].count(True) == 1
    assert pieces[-1].last
    assert len(sound_of(pieces)) > 2.5 * len(once)


@pytest.mark.parametrize("text", ["!!!", "… —"])
def test_marks_alone_have_no_pieces(
    engine: CoquiEngine, say: Callable[..., Utterance], text: str
) -> None:
    assert list(engine.speak(say(text, ADA))) == []


def test_a_language_that_the_model_lacks_is_refused(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    with pytest.raises(LanguageNotSpokenError, match="'sv'"):
        list(engine.speak(say(TEXT, ADA, language="sv")))
    with pytest.raises(LanguageNotSpokenError, match="cutlet is not installed"):
        list(engine.speak(say("かな です", ADA, language="ja")))


def test_a_number_that_nobody_can_read_is_refused(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    with pytest.raises(UnpronounceableTextError):
        list(engine.speak(say("9" * 150, ADA, language="pl")))


def test_a_voice_is_cloned_once_and_speaks(
    own: CoquiEngine, tmp_path: Path, say: Callable[..., Utterance], reference: NDArray[np.float32]
) -> None:
    directory = tmp_path / "voice"
    directory.mkdir()

    own.create(reference, directory)
    own.add(cloned(), directory)

    assert own.can_clone
    assert own.pattern().language_codes == ("en", "de", "ja", "pl")
    assert (own.pattern().license, own.pattern().sample_rate_hertz) == ("CPML", 24_000)
    assert [path.name for path in directory.iterdir()] == ["latents.npz"]
    assert not own.is_loaded("coqui:cloner"), "cloning keeps the model no longer than it takes"
    assert "coqui:clone-1" in {voice.id for voice in own.voices()}
    pieces = list(own.speak(say("Guten Tag.", "coqui:clone-1")))
    assert pieces[-1].last
    assert own.is_loaded("coqui:clone-1")
    assert own.memory_bytes("coqui:clone-1") > 1_000_000
    german = say("Guten Tag.", "coqui:clone-1", language="de")
    np.testing.assert_allclose(sound_of(list(own.speak(german))), sound_of(pieces), atol=1e-5)


def test_a_cloned_voice_outlives_the_process_and_is_forgotten_when_removed(
    models: Path,
    own: CoquiEngine,
    tmp_path: Path,
    say: Callable[..., Utterance],
    reference: NDArray[np.float32],
) -> None:
    directory = tmp_path / "voice"
    directory.mkdir()
    own.create(reference, directory)
    own.add(cloned(), directory)
    before = sound_of(list(own.speak(say("Hallo.", "coqui:clone-1"))))

    options = CoquiOptions(model_dirs=(models,), accept_cpml=True, device="cpu")
    later = CoquiEngine(tmp_path, options)
    later.add(cloned(), directory)

    np.testing.assert_allclose(
        sound_of(list(later.speak(say("Hallo.", "coqui:clone-1")))), before, atol=1e-5
    )
    later.remove("coqui:clone-1")
    later.remove("coqui:clone-1")
    assert "coqui:clone-1" not in {voice.id for voice in later.voices()}
    with pytest.raises(ConfigurationError, match="there is no coqui voice"):
        later.load("coqui:clone-1")


def test_different_recordings_give_different_voices(
    own: CoquiEngine, tmp_path: Path, reference: NDArray[np.float32]
) -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, len(reference)).astype(np.float32)
    for name, recording in (("one", reference), ("two", noise)):
        (tmp_path / name).mkdir()
        own.create(recording, tmp_path / name)

    one, two = (np.load(tmp_path / name / "latents.npz") for name in ("one", "two"))

    assert one["conditioning"].shape == (1, 32, 32)
    assert one["embedding"].shape == (1, 512, 1)
    assert np.abs(one["conditioning"] - two["conditioning"]).max() > 1e-3
    assert np.abs(one["embedding"] - two["embedding"]).max() > 1e-3


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x80\x04cos\nsystem\n."])
def test_a_damaged_voice_is_refused_and_nothing_in_it_is_run(
    own: CoquiEngine, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "latents.npz").write_bytes(content)

    with pytest.raises(StartupError, match="delete the voice and clone it anew"):
        own.add(cloned(), tmp_path)


def test_a_voice_cloned_with_another_model_is_refused(
    models: Path, own: CoquiEngine, tmp_path: Path, reference: NDArray[np.float32]
) -> None:
    own.create(reference, tmp_path)
    others = CoquiEngine(tmp_path, CoquiOptions(model_dirs=(models / "alone",), device="cpu"))
    others.add(cloned(), tmp_path)

    with pytest.raises(ConfigurationError, match="there is no coqui voice"):
        others.load("coqui:clone-1")
    with pytest.raises(ConfigurationError, match="no XTTS model is set up"):
        others.create(reference, tmp_path)
    with pytest.raises(ConfigurationError, match="no XTTS model is set up"):
        others.pattern()


def test_a_model_without_speakers_of_its_own_can_still_clone(
    xtts_builder: Callable[..., Path],
    tmp_path: Path,
    say: Callable[..., Utterance],
    reference: NDArray[np.float32],
) -> None:
    xtts_builder(tmp_path / "bare")
    engine = CoquiEngine(
        tmp_path, CoquiOptions(model_dirs=(tmp_path / "bare",), accept_cpml=True, device="cpu")
    )
    (tmp_path / "voice").mkdir()

    engine.create(reference, tmp_path / "voice")
    engine.add(dataclasses.replace(cloned(), language_codes=("en",)), tmp_path / "voice")

    assert [voice.id for voice in engine.voices()] == ["coqui:clone-1"]
    assert list(engine.speak(say("Hello.", "coqui:clone-1")))[-1].last
