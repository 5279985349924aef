"""How a model is spread over a machine: device, arithmetic, workers, threads and batches."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import ctranslate2
from threadpoolctl import threadpool_limits

from voicemesh_stt.engines.features import FULL_FRAMES

__all__ = ("Resources", "cores", "keep_to_own_threads", "prefer_wide_vectors", "resources")

_SMALL_BYTES = 200_000_000
"""A `model.bin` up to this (Whisper tiny and base) runs with a thread for each batch: its matrices
are so small that threads that share a batch spend the time waiting for each other."""
_AVX512 = frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})
"""What CTranslate2's kernels of that name need."""
_MOST_CORES = 4
"""Cores that a model takes unless it is told to: other services live on the machine as well."""
_CPU_BATCH = 8
_CUDA_BATCH = 16
"""Jobs decoded together; bigger batches bring nothing."""
_CPU_FRAMES = 3_000
"""Frames encoded together: Whisper's own window. What goes beyond it does not fit into the caches
of a CPU and takes half as long again, or twice, for each job."""


@dataclass(frozen=True)
class Resources:
    """What a model runs on."""

    device: str
    """`cpu` or `cuda`."""
    compute_type: str
    """CTranslate2's name of the arithmetic."""
    workers: int
    """Batches that run at once."""
    threads: int
    """Threads of each worker on a CPU."""
    most_in_batch: int
    """Jobs that are decoded together."""
    most_frames: int
    """Frames of audio context, over all jobs, that are encoded together."""


def prefer_wide_vectors(cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """Lets CTranslate2 use AVX-512 wherever there is one, which it does by itself on Intel's only.

    It reads the variable when it is first used; one that is set already stays as it is.
    """
    with suppress(OSError):
        flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text("ascii", "replace"), re.MULTILINE)
        if flags and _AVX512.issubset(flags[1].split()):
            os.environ.setdefault("CT2_FORCE_CPU_ISA", "AVX512")


def keep_to_own_threads() -> None:
    """Keeps NumPy's linear algebra on the thread that calls it.

    Its pool has a thread for each core, and those wait for their next task by spinning: for the
    millisecond that features take, a fifth of all processor time.
    """
    threadpool_limits(1, user_api="blas")


def cores() -> int:
    """Cores that speech recognition takes unless it is told to."""
    return min(_MOST_CORES, os.cpu_count() or 1)


def resources(
    model_file: Path, device: str, compute_type: str, workers: int, threads: int, batch: int
) -> Resources:
    """What to run a model on, where `auto` and 0 leave the choice to us.

    On a CPU a small model runs as one worker of one thread for each core. A bigger one has threads
    enough to do in one worker, which is sooner done with each batch.

    Args:
        model_file: the weights.
        device: `cpu`, `cuda`, or `auto` for the better one that is there.
        compute_type: arithmetic; `auto` is int8 on a CPU and float16 on a GPU.
        workers: batches that run at once; 0 for as many as pays.
        threads: threads of each worker; 0 for as many as pays.
        batch: jobs that are decoded together; 0 for as many as pays.
    """
    if device == "auto":
        device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    if compute_type == "auto":
        compute_type = "float16" if device == "cuda" else "int8"
    if device == "cuda":
        most = batch or _CUDA_BATCH
        return Resources(device, compute_type, workers or 1, 1, most, most * FULL_FRAMES)
    small = model_file.stat().st_size <= _SMALL_BYTES
    if not workers:
        workers = max(1, cores() // (threads or 1)) if small or threads else 1
    threads = threads or max(1, cores() // workers)
    return Resources(device, compute_type, workers, threads, batch or _CPU_BATCH, _CPU_FRAMES)
