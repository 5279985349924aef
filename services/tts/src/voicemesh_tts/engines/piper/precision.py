"""What the decoders of voices may be run with."""

from __future__ import annotations

from typing import Literal

__all__ = ("Precision", "Runtime")

Runtime = Literal["auto", "openvino", "onnxruntime"]
"""`auto` is OpenVINO where it is installed and works."""

Precision = Literal["auto", "float32", "bfloat16"]
"""`auto` is bfloat16 where the processor has it and OpenVINO is the runtime."""
