"""The Piper engine: VITS voices on ONNX Runtime, phonemes by espeak-ng in a child process.

`piper-tts` is GPL-3.0 and optional: only that child imports it.
"""

from voicemesh_tts.engines.piper.engine import PiperEngine, PiperOptions

__all__ = ("PiperEngine", "PiperOptions")
