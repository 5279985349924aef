"""Archives, the hash of a dataset's content, splitting, and figures of lengths."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
from dataclasses import replace
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_trainer.datasets.archive_file import example_line, packed, unpacked
from voicemesh_trainer.datasets.content import EMPTY, content_key, with_content, without_content
from voicemesh_trainer.datasets.errors import ArchiveDamagedError
from voicemesh_trainer.datasets.lengths import length_statistics
from voicemesh_trainer.datasets.splitting import border_between, place_of
from voicemesh_trainer.domain.datasets import Dataset, Draft, LengthStatistics
from voicemesh_trainer.domain.lessons import Polarity

pytestmark = pytest.mark.unit

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
DRAFTS = st.builds(
    Draft,
    prompt=TEXT,
    completion=TEXT.filter(bool),
    polarity=st.sampled_from(Polarity),
    system_prompt=TEXT,
    context=TEXT,
    author_id=TEXT,
    source=TEXT,
)
FACTS = [Draft(f"q{n}", f"a{n}", Polarity.POSITIVE, author_id="ann") for n in range(40)]


def dataset_of(drafts: list[Draft]) -> Dataset:
    content = with_content(EMPTY, map(content_key, drafts))
    return Dataset("01J", "guild", "facts", len(drafts), 0, 1, False, False, content, 1.0, 2.0)


def archive_of(drafts: list[Draft], dataset: Dataset | None = None) -> bytes:
    data = b"".join(map(example_line, drafts))
    sha256 = hashlib.sha256(data).hexdigest()
    return b"".join(packed(dataset or dataset_of(drafts), [data], len(data), sha256))


@given(st.lists(DRAFTS, max_size=6))
def test_an_archive_gives_back_what_was_packed(drafts: list[Draft]) -> None:
    data = archive_of(drafts)
    assert list(unpacked(io.BytesIO(data), len(drafts))) == drafts
    assert archive_of(drafts) == data


def test_other_programs_can_read_an_archive() -> None:
    plain = zstandard.ZstdDecompressor().stream_reader(archive_of(FACTS)).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        assert archive.getnames() == ["manifest.json", "examples.jsonl"]
        file = archive.extractfile("examples.jsonl")
        assert file is not None
        lines = file.read().splitlines()
    assert len(lines) == len(FACTS)


def compressed(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def plain(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader(data).read()


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def link() -> tarfile.TarInfo:
    info = tarfile.TarInfo("manifest.json")
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: data + b"more",
        lambda data: b"PK\x03\x04" + data,
        lambda data: compressed(plain(data)[:-600]),
        lambda data: compressed(plain(data) + bytes(512)),
        lambda data: compressed(plain(data).replace(b'"a7"', b'"b7"')),
        lambda data: compressed(plain(data).replace(b'_count": 40', b'_count": 41')),
        lambda data: compressed(plain(data).replace(b"examples.jsonl", b"../etc/passwd.")),
        lambda data: compressed(plain(data)[:512]),
        lambda data: compressed(tar_of((link(), b""))),
        lambda data: compressed(tar_of((tarfile.TarInfo("../x"), b"y"))),
        lambda data: compressed(tar_of((tarfile.TarInfo("manifest.json"), b"[]"))),
        lambda data: compressed(tar_of((tarfile.TarInfo("manifest.json"), b"{" * 60_000))),
        lambda data: compressed(tar_of((tarfile.TarInfo("manifest.json"), bytes(1 << 17)))),
        lambda data: compressed(bytes(64 << 20)),
    ],
)
def test_refuses_an_archive_that_is_not_what_was_packed(damage: Any) -> None:
    with pytest.raises(ArchiveDamagedError):
        list(unpacked(io.BytesIO(damage(archive_of(FACTS))), len(FACTS)))


def test_no_flipped_byte_changes_an_example() -> None:
    data = archive_of(FACTS[:3])
    refused = 0
    for at in range(len(data)):
        broken = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        try:
            assert list(unpacked(io.BytesIO(broken), 3)) == FACTS[:3]
        except ArchiveDamagedError:
            refused += 1
    # How much memory a reader should have is in the file, too, and changes nothing else.
    assert refused >= len(data) - 2


def test_refuses_another_number_of_examples_than_the_database_knows() -> None:
    with pytest.raises(ArchiveDamagedError, match="as many examples"):
        list(unpacked(io.BytesIO(archive_of(FACTS)), 41))


def test_refuses_lines_that_are_no_examples() -> None:
    for line in (b"{}", b"[1]", b'{"polarity": "positive", "completion": 1}', b"{" * 9_000):
        data = line + b"\n"
        sha256 = hashlib.sha256(data).hexdigest()
        archive = b"".join(packed(dataset_of(FACTS[:1]), [data], len(data), sha256))
        with pytest.raises(ArchiveDamagedError, match="no example"):
            list(unpacked(io.BytesIO(archive), 1))


@given(st.lists(DRAFTS, max_size=8), st.randoms(use_true_random=False))
def test_the_hash_of_a_dataset_does_not_depend_on_the_order(
    drafts: list[Draft], chance: random.Random
) -> None:
    keys = [content_key(draft) for draft in drafts]
    shuffled = chance.sample(keys, len(keys))
    whole = with_content(EMPTY, keys)
    assert with_content(EMPTY, shuffled) == whole
    assert len(whole) == 64
    assert without_content(whole, shuffled) == EMPTY


def test_all_that_an_example_says_counts_and_who_gave_it_does_not() -> None:
    one = Draft("ab", "c", Polarity.POSITIVE, "s", "x", "ann", "line 1")
    key = content_key(one)
    assert content_key(replace(one, author_id="bob", source="")) == key
    for other in (
        replace(one, prompt="a", completion="bc"),
        replace(one, polarity=Polarity.NEGATIVE),
        replace(one, system_prompt="", context="sx"),
    ):
        assert content_key(other) != key


def test_parts_meet_the_share_and_keep_together_what_belongs_together() -> None:
    places = [place_of(7, f"key {number % 100}") for number in range(300)]
    border = border_between(places, 0.8)
    assert border is not None
    first = [place for place in places if place < border]
    assert len(first) == 240
    assert not set(first) & {place for place in places if place >= border}


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_both_parts_have_something_if_they_can(places: list[int], share: float) -> None:
    border = border_between(places, share)
    if len(set(places)) == 1:
        assert border is None
    else:
        assert border is not None
        assert min(places) < border <= max(places)


def test_another_seed_parts_in_another_way() -> None:
    keys = [f"key {number}" for number in range(100)]
    halves = []
    for seed in (0, 1, 0):
        places = {key: place_of(seed, key) for key in keys}
        border = border_between(places.values(), 0.5)
        assert border is not None
        halves.append({key for key in keys if places[key] < border})
    assert halves[0] == halves[2] != halves[1]


def test_figures_of_lengths() -> None:
    assert length_statistics([]) == LengthStatistics()
    assert length_statistics([(1, 19), (40, 1)]) == LengthStatistics(1, 1, 1, 40, 59 / 20)
    assert length_statistics([(1, 1), (2, 1), (3, 1)]).median == 2
