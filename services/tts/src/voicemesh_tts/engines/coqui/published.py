"""The models that coqui-tts publishes, by its names: where they lie, how they get there.

Nothing is fetched unless a setting allows it. What coqui-tts itself has fetched (`tts
--model_name ...` with TTS_HOME set to the directory here) is found.
"""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_tts.engines.coqui.installed import CPML, CoquiFiles, read_model

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("Published", "catalogue_file", "cpml_needed")

_logger = get_logger(__name__)

_NAME = re.compile(r"tts_models/([\w-]+)/([\w-]+)/([\w.-]+)")


def catalogue_file() -> Path | None:
    """The list of models that coqui-tts brings along; None if it is not installed."""
    # Importing the package to ask it would import torch.
    spec = importlib.util.find_spec("TTS")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) / ".models.json" if places else None


class Published:
    """Published models that settings name.

    Attributes:
        names: what the settings name.
    """

    def __init__(
        self, names: Sequence[str], home: Path, *, download: bool, accept_cpml: bool
    ) -> None:
        self.names = tuple(names)
        self._home = home
        self._download = download
        self._accept_cpml = accept_cpml
        self._items: dict[str, dict[str, Any]] | None = None

    def find(self) -> list[CoquiFiles]:
        """Those that are here, or can be fetched; what cannot be had is logged."""
        found = []
        for name in self.names:
            try:
                found.append(self.get(name))
            except StartupError as error:
                _logger.warning("a coqui model is left out", model=name, cause=str(error))
        return found

    def get(self, name: str) -> CoquiFiles:
        """One of `names`, fetched if it is not here and that is allowed. Blocks, maybe for minutes.

        Raises:
            StartupError: if it is not here and may not, or cannot, be fetched.
        """
        directory = self.directory(name)
        if directory is None:
            self._pull(name)
            directory = self.directory(name)
        if directory is None:
            msg = f"coqui-tts fetched {name}, but not to {self._home}; remove what is there"
            raise StartupError(msg)
        try:
            return self._read(name, directory)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            msg = f"the coqui model in {directory} cannot be read ({error!r}); replace its files"
            raise StartupError(msg) from error

    def directory(self, name: str) -> Path | None:
        """Where a model lies; None if it is not here."""
        own = self._home / "tts" / name.replace("/", "--")
        if (own / "config.json").is_file():
            return own
        repository = self._item(name).get("repo_id")
        return _in_hub_cache(str(repository)) if repository else None

    def vocoder(self, name: str) -> Path | None:
        """Where the vocoder of a model lies; None if it needs none.

        Raises:
            StartupError: if it needs one that is not here.
        """
        needed = self._item(name).get("default_vocoder")
        if not needed:
            return None
        directory = self._home / "tts" / str(needed).replace("/", "--")
        if not (directory / "config.json").is_file():
            msg = f"{name} needs the vocoder {needed}, which is not in {self._home}; {_hint(name)}"
            raise StartupError(msg)
        return directory

    def _read(self, name: str, directory: Path) -> CoquiFiles:
        match = _NAME.fullmatch(name)
        language = match[1] if match and match[1] != "multilingual" else ""
        return read_model(name, directory, str(self._item(name).get("license") or ""), language)

    def _item(self, name: str) -> dict[str, Any]:
        """What the catalogue says of a model; nothing if it does not know it."""
        if self._items is None:
            path = catalogue_file()
            table = json.loads(path.read_bytes()) if path else {}
            self._items = {
                f"{kind}/{language}/{data}/{model}": item
                for kind, languages in table.items()
                for language, sets in languages.items()
                for data, models in sets.items()
                for model, item in models.items()
            }
        return self._items.get(name, {})

    def _pull(self, name: str) -> None:
        item = self._item(name)
        if not item:
            msg = f"VOICEMESH_TTS_COQUI__MODELS names {name!r}, which coqui-tts does not publish"
            raise ConfigurationError(msg)
        if not self._download:
            msg = (
                f"the coqui model {name} is not in {self._home} and "
                f"VOICEMESH_TTS_COQUI__DOWNLOAD is not true; {_hint(name)}"
            )
            raise ConfigurationError(msg)
        if item.get("license") == CPML and not self._accept_cpml:
            raise ConfigurationError(cpml_needed(name))
        from TTS.utils.manage import ModelManager

        _logger.info("fetching a coqui model", model=name, license=item.get("license"))
        try:
            manager = ModelManager(
                models_file=catalogue_file(), output_prefix=self._home, progress_bar=False
            )
            # It would ask at the terminal; the setting has answered.
            manager.tos_agreed = lambda *_: True
            for each in (item.get("default_vocoder"), name):
                if each:
                    manager.download_model(each)
        except Exception as error:  # whatever its many ways of fetching raise
            msg = f"the coqui model {name} could not be fetched ({type(error).__name__}: {error})"
            raise StartupError(msg) from error


def cpml_needed(name: str) -> str:
    """What to say of a model whose licence nobody has accepted."""
    return (
        f"{name} is under the Coqui Public Model License (no commercial use); "
        "read it and set VOICEMESH_TTS_COQUI__ACCEPT_CPML=true, or choose another model"
    )


def _hint(name: str) -> str:
    return f"fetch it with `TTS_HOME=... tts --model_name {name}` or set that"


def _in_hub_cache(repository: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError):
        return None
