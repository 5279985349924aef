"""Where split voices are kept, and what happens when they cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from voicemesh_tts.engines.piper import splits
from voicemesh_tts.engines.piper.splits import kept_split, make_split

pytestmark = pytest.mark.unit

PutVoice = Callable[..., Path]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache directory."""
    directory = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory))
    return directory


def test_a_voice_is_split_once_and_found_again(put_voice: PutVoice, cache: Path) -> None:
    voice = put_voice()
    assert kept_split(voice) is None

    made = make_split(voice)

    assert made is not None
    assert made == kept_split(voice)
    assert isinstance(made.encoder, Path)
    assert made.encoder.parent.parent == voice.parent
    assert not cache.exists()


def test_another_voice_in_the_same_place_is_split_anew(
    put_voice: PutVoice, make_model: Callable[..., object], cache: Path
) -> None:
    make_split(put_voice())

    assert kept_split(put_voice(model=make_model(speakers=2))) is None


def test_nothing_half_written_is_left(
    put_voice: PutVoice, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = put_voice()

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    made = make_split(voice)

    assert made is not None
    assert isinstance(made.encoder, bytes)
    assert isinstance(made.decoder, bytes)
    assert kept_split(voice) is None
    assert [each for each in voice.parent.rglob("*.onnx*") if "coder" in each.name] == []


def test_a_directory_that_cannot_be_written_sends_it_to_the_cache(
    put_voice: PutVoice, cache: Path
) -> None:
    voice = put_voice()
    # A file in the way does to root, too, what a read-only directory does to others.
    (voice.parent / ".voicemesh-split").write_bytes(b"")

    made = make_split(voice)

    assert made is not None
    assert isinstance(made.decoder, Path)
    assert made.decoder.is_relative_to(cache)
    assert made == kept_split(voice)


def test_what_is_no_model_is_not_split(tmp_path: Path, cache: Path) -> None:
    file = tmp_path / "mine.onnx"
    file.write_bytes(b"not a model")

    assert make_split(file) is None


def test_a_new_way_of_splitting_makes_them_anew(
    put_voice: PutVoice, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = put_voice()
    make_split(voice)
    monkeypatch.setattr(splits, "_VERSION", "other")

    assert kept_split(voice) is None
