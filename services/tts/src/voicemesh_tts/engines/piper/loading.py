"""Opens the files of a voice on ONNX Runtime: split if it can be, whole if not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import StartupError
from voicemesh_tts.engines.memory import give_back_memory
from voicemesh_tts.engines.piper.config import VoiceConfig
from voicemesh_tts.engines.piper.network import Crowd, SplitNetwork, WholeNetwork
from voicemesh_tts.engines.piper.splits import kept_split, make_split

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from voicemesh_tts.engines.piper.files import PiperFiles
    from voicemesh_tts.engines.piper.network import Network
    from voicemesh_tts.engines.piper.splits import SplitVoice

__all__ = ("NetworkLoader",)

_logger = get_logger(__name__)

_OVER_FILE = 1.5
"""Memory of a voice's weights over the size of its file, and ..."""

_WORKSPACE_BYTES = 64 * 1024 * 1024
"""... what it takes to work with them, as measured with voices of medium quality."""


class NetworkLoader:
    """Opens voices.

    Args:
        threads: how many threads of ONNX Runtime work on one piece of sound.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._crowd = Crowd()

    def open(self, files: PiperFiles) -> tuple[Network, VoiceConfig, int]:
        """The network of a voice, its config, and the bytes it takes up, about.

        Raises:
            StartupError: if ONNX Runtime is missing or the files cannot be used.
        """
        try:
            import onnxruntime  # noqa: F401
        except ImportError as error:
            msg = (
                "the Piper engine needs the package onnxruntime; install it with "
                "`pip install 'voicemesh-tts[piper]'`"
            )
            raise StartupError(msg) from error
        try:
            config = VoiceConfig.read(files.config)
            network = self._split(files.model, config) or self._whole(files.model, config)
            memory = _WORKSPACE_BYTES + round(_OVER_FILE * files.model.stat().st_size)
        except Exception as error:  # whatever a damaged file makes the libraries raise
            msg = (
                f"the Piper voice in {files.model} cannot be loaded ({type(error).__name__}); "
                "replace its files"
            )
            raise StartupError(msg) from error
        return network, config, memory

    def _split(self, model: Path, config: VoiceConfig) -> Network | None:
        for halves_of in (kept_split, make_split):
            split = halves_of(model)
            # Of a voice that has just been split, hundreds of megabytes may be left.
            give_back_memory()
            if split is None:
                continue
            try:
                return self._network(split, config)
            except Exception as error:  # as above
                _logger.warning(
                    "a split voice cannot be used", file=str(model), cause=type(error).__name__
                )
        return None

    def _network(self, split: SplitVoice, config: VoiceConfig) -> SplitNetwork:
        decoder = self._session(split.decoder, self._threads)
        return SplitNetwork(
            self._session(split.encoder, self._threads),
            decoder,
            self._session(split.decoder, 1) if self._threads > 1 else decoder,
            self._crowd,
            config.sample_rate_hertz,
        )

    def _whole(self, model: Path, config: VoiceConfig) -> WholeNetwork:
        return WholeNetwork(self._session(model, self._threads), config.hop)

    def _session(self, model: Path | bytes, threads: int) -> InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # It plans memory for every length that it has seen, and every clause has another.
        options.enable_mem_pattern = False
        # Threads that spin while they wait take the cores from the other services.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(
            str(model) if isinstance(model, Path) else model,
            options,
            providers=["CPUExecutionProvider"],
        )
