"""The head of a base model is read once, and says what `gguf` itself reads."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from voicemesh_trainer.engines.lora.reading import each_file_once

pytestmark = pytest.mark.unit


def test_it_says_what_gguf_reads(llama: Path) -> None:
    usual = gguf.GGUFReader(llama)

    with each_file_once():
        quick = gguf.GGUFReader(llama)

    assert list(quick.fields) == list(usual.fields)
    for name, field in usual.fields.items():
        assert quick.fields[name].contents() == field.contents()
    assert [each.name for each in quick.tensors] == [each.name for each in usual.tensors]
    for ours, theirs in zip(quick.tensors, usual.tensors, strict=True):
        np.testing.assert_array_equal(ours.data, theirs.data)


def test_a_file_is_read_once_and_only_within_the_block(llama: Path) -> None:
    usual = gguf.GGUFReader

    with each_file_once():
        assert gguf.GGUFReader(llama) is gguf.GGUFReader(str(llama))

    assert gguf.GGUFReader is usual
    assert gguf.GGUFReader(llama) is not gguf.GGUFReader(llama)


def test_nothing_is_left_behind_by_a_file_that_is_none(tmp_path: Path) -> None:
    usual = gguf.GGUFReader
    (tmp_path / "none.gguf").write_bytes(b"none")

    with pytest.raises(ValueError, match="magic"), each_file_once():
        gguf.GGUFReader(tmp_path / "none.gguf")

    assert gguf.GGUFReader is usual
