"""Cloned voices on disk."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from voicemesh_tts.cloning.store import VoiceStore
from voicemesh_tts.domain import Voice

pytestmark = pytest.mark.unit

MADE = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
VOICE = Voice(
    "tone:cloned-1", "Zoë", ("en-GB", "de"), 24_000, license="CPML", tenant="t/1", create_time=MADE
)


@pytest.fixture
def store(tmp_path: Path) -> VoiceStore:
    return VoiceStore(tmp_path / "data")


def finished(store: VoiceStore, name: str = "1", voice: Voice = VOICE) -> Path:
    begun = store.begin("t/1", name)
    (begun / "latents").write_bytes(b"numbers")
    return store.finish(begun, name, voice).directory


def test_a_voice_is_read_as_it_was_written_with_its_files(store: VoiceStore) -> None:
    directory = finished(store)

    (stored,) = store.read("t/1", store.names("t/1"))

    assert stored.voice == VOICE
    assert stored.directory == directory
    assert (directory / "latents").read_bytes() == b"numbers"


def test_a_tenant_without_voices_has_none_and_no_directory(
    store: VoiceStore, tmp_path: Path
) -> None:
    assert store.names("nobody") == frozenset()
    assert not (tmp_path / "data").exists()


def test_a_voice_that_is_not_finished_is_not_there(store: VoiceStore) -> None:
    begun = store.begin("t/1", "1")

    assert store.names("t/1") == frozenset()
    store.discard(begun)
    assert not begun.exists()


def test_a_deleted_voice_leaves_nothing(store: VoiceStore) -> None:
    directory = finished(store)

    assert store.remove("t/1", "1")
    assert not store.remove("t/1", "1")
    assert list(directory.parent.iterdir()) == []


def test_another_tenant_has_another_directory(store: VoiceStore) -> None:
    finished(store)

    assert store.names("t") == frozenset()
    assert store.names("t%2f1") == frozenset()


@pytest.mark.parametrize(
    "record",
    [
        "",
        "[]",
        "{}",
        json.dumps({"format": 2}),
        json.dumps({"format": 1, "id": "tone:x", "tenant": "u"}),
    ],
)
def test_what_is_no_voice_is_left_out(store: VoiceStore, record: str) -> None:
    directory = finished(store)
    finished(store, "2")
    (directory / "voice.json").write_text(record)

    assert [stored.directory.name for stored in store.read("t/1", store.names("t/1"))] == ["2"]


def test_a_voice_of_another_tenant_is_left_out(store: VoiceStore) -> None:
    finished(store, voice=Voice("tone:x", "X", ("en",), 24_000, tenant="u"))

    assert store.read("t/1", store.names("t/1")) == []


def test_left_overs_are_swept_away_and_what_is_being_made_is_not(store: VoiceStore) -> None:
    directory = finished(store)
    making = store.begin("t/1", "2")
    old = store.begin("t/1", "3")
    os.utime(old, (1, 1))
    gone = directory.with_name(".gone-4")
    gone.mkdir()

    store.sweep()

    assert {path.name for path in directory.parent.iterdir()} == {"1", making.name}
