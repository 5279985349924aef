"""Opens the files of a voice: split if it can be, whole if not; on OpenVINO if it is there."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_tts.engines.memory import give_back_memory
from voicemesh_tts.engines.piper.config import VoiceConfig
from voicemesh_tts.engines.piper.decoders import Crowd, OnnxDecoder, OnnxModel
from voicemesh_tts.engines.piper.network import LONGEST_S, Plan, SplitNetwork, WholeNetwork
from voicemesh_tts.engines.piper.openvino_decoder import OpenVinoDecoder, PrecisionError
from voicemesh_tts.engines.piper.splits import kept_split, make_split
from voicemesh_tts.engines.piper.windows import ladder

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from voicemesh_tts.engines.piper.decoders import Decoder
    from voicemesh_tts.engines.piper.files import PiperFiles
    from voicemesh_tts.engines.piper.network import Network
    from voicemesh_tts.engines.piper.precision import Precision, Runtime
    from voicemesh_tts.engines.piper.splits import SplitVoice

__all__ = ("NetworkLoader", "Running")

_logger = get_logger(__name__)

_OVER_FILE = 1.5
"""Memory of a voice's weights over the size of its file, and ..."""

_WORKSPACE_BYTES = 64 * 1024 * 1024
"""... what it takes to work with them, as measured with voices of medium quality."""


@dataclass(frozen=True)
class Running:
    """How networks are to be run."""

    threads: int
    """Threads that work on one piece of sound."""

    runtime: Runtime
    """What runs decoders."""

    precision: Precision
    """How exact decoders are."""

    first_s: float
    """Shortest first piece, in seconds."""

    @property
    def demands_openvino(self) -> bool:
        """Whether nothing else will do."""
        return self.runtime == "openvino" or self.precision == "bfloat16"


class NetworkLoader:
    """Opens voices.

    Args:
        running: how they are to be run.
    """

    def __init__(self, running: Running) -> None:
        self._running = running
        self._crowd = Crowd()

    def open(self, files: PiperFiles) -> tuple[Network, VoiceConfig, int]:
        """The network of a voice, its config, and the bytes it takes up, about.

        Raises:
            StartupError: if ONNX Runtime is missing or the files cannot be used.
            ConfigurationError: if what the settings ask for is not there.
        """
        if self._running.precision == "bfloat16" and self._running.runtime == "onnxruntime":
            msg = (
                "VOICEMESH_TTS_PIPER__PRECISION=bfloat16 needs OpenVINO, but "
                "VOICEMESH_TTS_PIPER__RUNTIME is onnxruntime"
            )
            raise ConfigurationError(msg)
        if self._running.demands_openvino and importlib.util.find_spec("openvino") is None:
            msg = (
                "VOICEMESH_TTS_PIPER__RUNTIME or __PRECISION needs OpenVINO, which is not "
                "installed; `pip install 'voicemesh-tts[piper]'` does so on x86-64"
            )
            raise ConfigurationError(msg)
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
        except ConfigurationError:
            raise
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
            except ConfigurationError:
                raise
            except Exception as error:  # as above
                _logger.warning(
                    "a split voice cannot be used", file=str(model), cause=type(error).__name__
                )
        return None

    def _network(self, split: SplitVoice, config: VoiceConfig) -> SplitNetwork:
        encoder = self._model(split.encoder, split.encoder)
        plan = Plan.of(encoder.facts)
        decoder: Decoder = self._openvino(split.planes, config, plan) or OnnxDecoder(
            self._model(split.decoder, split.planes)
        )
        return SplitNetwork(encoder, decoder, plan, config.sample_rate_hertz)

    def _openvino(
        self, planes: Path | bytes, config: VoiceConfig, plan: Plan
    ) -> OpenVinoDecoder | None:
        how = self._running
        if how.runtime == "onnxruntime" or importlib.util.find_spec("openvino") is None:
            return None
        first, longest = (
            round(length_s * config.sample_rate_hertz / plan.hop)
            for length_s in (how.first_s, LONGEST_S)
        )
        sizes = ladder(plan.reach, first, longest)
        try:
            return OpenVinoDecoder(planes, how.threads, how.precision, sizes)
        except PrecisionError as error:
            raise ConfigurationError(
                f"VOICEMESH_TTS_PIPER__PRECISION=bfloat16, but {error}; set it to auto"
            ) from error
        except Exception as error:  # as above
            if how.demands_openvino:
                msg = f"OpenVINO cannot be used: {error}"
                raise ConfigurationError(msg) from error
            _logger.warning("OpenVINO cannot be used", cause=str(error) or type(error).__name__)
            return None

    def _whole(self, model: Path, config: VoiceConfig) -> WholeNetwork:
        session = self._session(model, self._running.threads)
        return WholeNetwork(OnnxModel(session, session, self._crowd), config.hop)

    def _model(self, quick: Path | bytes, frugal: Path | bytes) -> OnnxModel:
        threads = self._running.threads
        alone = self._session(frugal, 1)
        return OnnxModel(
            self._session(quick, threads) if threads > 1 else alone, alone, self._crowd
        )

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
