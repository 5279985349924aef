"""Reads and checks `models.toml`. Every complaint names the file, the model and the key."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicemesh_models.catalogue import Catalogue, HubFile, Model, ModelFile, WheelPart
from voicemesh_models.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("CATALOGUE_VARIABLE", "load_catalogue", "packaged_catalogue_path")

CATALOGUE_VARIABLE = "VOICEMESH_MODELS_FILE"

_FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.+!_-]*")
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Written by the store itself beside the model's files.
_RESERVED = frozenset({"NOTICE.txt", ".installed.json"})


def packaged_catalogue_path() -> Path:
    """Return the path of the catalogue that is installed with this package."""
    return Path(__file__).with_name("models.toml")


def load_catalogue(path: Path | None = None) -> Catalogue:
    """Return the catalogue of `path`, of VOICEMESH_MODELS_FILE, or the packaged one.

    Raises:
        CatalogueError: If the file cannot be read or does not say what it must.
    """
    override = os.environ.get(CATALOGUE_VARIABLE)
    if path is not None or not override:
        return _read(path or packaged_catalogue_path())
    try:
        return _read(Path(override).expanduser())
    except CatalogueError as error:
        raise error.set_by(CATALOGUE_VARIABLE) from error


def _read(chosen: Path) -> Catalogue:
    try:
        data = tomllib.loads(chosen.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(chosen, "", f"cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CatalogueError(chosen, "", f"is not valid TOML ({error})") from error
    return _catalogue(_Table(chosen, "", data))


class _Table:
    """A TOML table that knows where it stands, so that complaints can say so."""

    def __init__(self, path: Path, where: str, data: object) -> None:
        self.path = path
        self.where = where
        if not isinstance(data, dict):
            raise CatalogueError(path, where, "must be a table")
        self.data: Mapping[str, Any] = data

    def fail(self, key: str, problem: str) -> CatalogueError:
        return CatalogueError(self.path, f"{self.where}{key}", problem)

    def only(self, *keys: str) -> None:
        for key in self.data:
            if key not in keys:
                raise self.fail(key, f"is not a known key; known are {', '.join(keys)}")

    def text(self, key: str, pattern: re.Pattern[str] | None = None) -> str:
        value = self.data.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(key, "must be a non-empty string")
        if pattern is not None and not pattern.fullmatch(value):
            raise self.fail(key, f"is {value!r}, which does not have the form {pattern.pattern}")
        return value

    def relative_path(self, key: str) -> str:
        """A plain relative POSIX path: it can never name anything outside its directory."""
        value = self.text(key)
        parts = value.split("/")
        if (
            "\\" in value
            or ":" in value
            or "\0" in value
            or any(p in ("", ".", "..") for p in parts)
        ):
            raise self.fail(key, f"is {value!r}, which is not a plain relative path")
        return value

    def tables(self, key: str, label: str) -> list[_Table]:
        value = self.data.get(key)
        if not isinstance(value, list) or not value:
            raise self.fail(key, "must be a non-empty list of tables")
        return [
            _Table(self.path, f"{self.where}{label} {number}: ", item)
            for number, item in enumerate(value, start=1)
        ]


def _catalogue(table: _Table) -> Catalogue:
    table.only("format", "groups", "model")
    if table.data.get("format") != _FORMAT:
        raise table.fail("format", f"must be {_FORMAT}")
    models: dict[str, Model] = {}
    for entry in table.tables("model", "model"):
        model = _model(entry)
        if model.name in models:
            raise entry.fail("name", f"{model.name!r} is used twice")
        models[model.name] = model
    return Catalogue(table.path, models, _groups(table, models))


def _groups(table: _Table, models: Mapping[str, Model]) -> dict[str, tuple[str, ...]]:
    groups = _Table(table.path, "groups: ", table.data.get("groups", {}))
    for group, names in groups.data.items():
        if group in models:
            raise groups.fail(group, "is also the name of a model")
        if not isinstance(names, list) or not names:
            raise groups.fail(group, "must be a non-empty list of model names")
        for name in names:
            if name not in models:
                raise groups.fail(group, f"names {name!r}, which is no model")
    return {group: tuple(names) for group, names in groups.data.items()}


def _model(table: _Table) -> Model:
    name = table.text("name", _NAME)
    table.where = f"model {name!r}: "
    table.only("name", "kind", "engine", "licence", "origin", "notice", "file")
    files = tuple(_file(entry) for entry in table.tables("file", "file"))
    paths = [file.path for file in files]
    for path in paths:
        if path in _RESERVED or paths.count(path) > 1:
            raise table.fail("file", f"path {path!r} is reserved or used twice")
    return Model(
        name=name,
        kind=table.text("kind"),
        engine=table.text("engine"),
        licence=table.text("licence"),
        origin=table.text("origin"),
        notice=table.text("notice").strip(),
        files=files,
    )


def _file(table: _Table) -> ModelFile:
    table.only("path", "size", "sha256", "parts", "hub")
    path = table.relative_path("path")
    source = _source(table)
    size = table.data.get("size")
    if size is not None and (type(size) is not int or size < 0):
        raise table.fail("size", "must be a whole number of bytes")
    pinned = "sha256" in table.data or not isinstance(source, HubFile)
    sha256 = table.text("sha256", _SHA256) if pinned else None
    if size is None and not isinstance(source, HubFile):
        raise table.fail("size", "must be given for a file that comes from wheels")
    return ModelFile(path, size, sha256, source)


def _source(table: _Table) -> tuple[WheelPart, ...] | HubFile:
    if ("parts" in table.data) == ("hub" in table.data):
        raise table.fail("parts", "or `hub` must be given, and not both")
    if "hub" in table.data:
        hub = _Table(table.path, f"{table.where}hub: ", table.data["hub"])
        hub.only("repo", "revision", "path")
        return HubFile(
            hub.text("repo", _REPO), hub.text("revision", _REVISION), hub.relative_path("path")
        )
    parts = table.tables("parts", "part")
    for part in parts:
        part.only("wheel", "member")
    return tuple(
        WheelPart(part.text("wheel", _REQUIREMENT), part.relative_path("member")) for part in parts
    )
