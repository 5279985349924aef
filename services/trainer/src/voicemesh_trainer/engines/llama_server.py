"""llama.cpp in this process: loading, counting tokens, and completions that can be stopped.

xllamacpp has llama.cpp's server without a second process. Completions are called directly, on a
thread each, because returning from their callback is the quickest way to stop them. What has no
direct call (tokens, templates) goes over the HTTP that this server always has; it listens on a
Unix socket in a directory of its own, so that nobody else on the machine can talk to the model.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import xllamacpp

from voicemesh_chassis.service import StartupError
from voicemesh_trainer.engines.socket_directory import SOCKET_NAME, new_socket_directory
from voicemesh_trainer.errors import ModelFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ("Completion", "LlamaOptions", "LlamaServer")

_HTTP_TIMEOUT_S = 10.0
_THREADS_END_S = 5.0
_QUIET = -1
_REMOVALS = 10
_REMOVAL_PAUSE_S = 0.02

# A cancelled completion is noticed between two of these, also while the prompt is being read:
# about a quarter of a second for a small model on two cores.
_BATCH_TOKENS = 256


@dataclass(frozen=True)
class LlamaOptions:
    """How llama.cpp is set up."""

    file: Path
    """The GGUF file."""
    context_tokens: int
    """Tokens that prompt and answer of one slot may have together."""
    slots: int
    """Completions at once."""
    threads: int
    """Processor threads that write."""
    prompt_threads: int
    """Processor threads that read prompts."""
    gpu_layers: int
    """Layers to run on a GPU."""
    prompt_cache_mib: int
    """Memory for prompts that hold no slot at the moment, in MiB."""
    adapter: Path | None = None
    """A LoRA adapter (GGUF) to put on the model."""


class Completion:
    """One running completion: a queue of what llama.cpp says, and the means to stop it.

    Used from the event loop, but for `_take`, which llama.cpp calls on its thread. The queue is
    bounded by the tokens asked for.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._stopped = threading.Event()
        self._gone = asyncio.Event()

    async def next(self) -> dict[str, Any] | None:
        """The next chunk as llama.cpp's server sends it; None when there are no more."""
        return await self._queue.get()

    def stop(self) -> None:
        """Makes llama.cpp stop at its next token or batch; returns at once."""
        self._stopped.set()

    async def gone(self) -> None:
        """Waits until the thread is free again; a token or batch after `stop`."""
        await self._gone.wait()

    def _end(self, failure: dict[str, Any] | None) -> None:
        self._gone.set()
        for chunk in (failure, None) if failure else (None,):
            self._queue.put_nowait(chunk)

    def _take(self, chunk: dict[str, Any]) -> bool:
        if self._stopped.is_set():
            return True
        self._loop.call_soon_threadsafe(self._queue.put_nowait, chunk)
        return False


class LlamaServer:
    """A loaded model. `complete` may run as often at once as there are slots.

    Args:
        options: tells how to set llama.cpp up; called once, on a thread, as it may verify the file.
        slots: completions at once, as in the options.
    """

    def __init__(self, options: Callable[[], LlamaOptions], slots: int) -> None:
        self._find_options = options
        self._server: Any = None
        self._http: aiohttp.ClientSession | None = None
        self._directory: Path | None = None
        self._running: set[Completion] = set()
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="llama")

    async def open(self) -> None:
        """Loads the model.

        Raises:
            StartupError: if it is not there, or llama.cpp cannot load it.
        """
        loading = asyncio.get_running_loop().run_in_executor(self._threads, self._load)
        self._server, socket = await loading
        self._http = aiohttp.ClientSession(
            "http://llama.invalid",
            connector=aiohttp.UnixConnector(socket),
            timeout=aiohttp.ClientTimeout(total=_HTTP_TIMEOUT_S),
        )

    def _load(self) -> tuple[Any, str]:
        options = self._find_options()
        try:
            self._directory = new_socket_directory()
        except OSError as error:
            msg = f"the trainer needs a writable temporary directory ({error}); set TMPDIR to one"
            raise StartupError(msg) from error
        socket = str(self._directory / SOCKET_NAME)
        params = xllamacpp.CommonParams()
        params.model.path = str(options.file)
        params.hostnames = [socket]
        params.ui = False
        params.verbosity = _QUIET
        params.n_ctx = options.context_tokens * options.slots
        params.n_parallel = options.slots
        params.n_batch = params.n_ubatch = _BATCH_TOKENS
        params.n_gpu_layers = options.gpu_layers
        params.cpuparams.n_threads = options.threads
        params.cpuparams_batch.n_threads = options.prompt_threads
        # The whole window of sliding-window layers is kept, or else every answer to a longer
        # conversation would read the prompt from its beginning (llama.cpp pull request 13194).
        params.swa_full = True
        params.cache_ram_mib = options.prompt_cache_mib
        # It would load the model once more to see what fits a GPU; all that it chooses is set.
        params.fit_params = False
        if options.adapter is not None:
            adapter = xllamacpp.CommonAdapterLoraInfo()
            adapter.path, adapter.scale = str(options.adapter), 1.0
            params.lora_adapters = [adapter]
        try:
            return xllamacpp.Server(params), socket
        except RuntimeError as error:
            msg = _cannot_load(options, params.n_ctx)
            raise StartupError(msg) from error

    def complete(self, request: Mapping[str, Any], done: Callable[[], None]) -> Completion:
        """Starts a completion; `done` is called in the event loop when its thread is free again."""
        loop = asyncio.get_running_loop()
        completion = Completion(loop)
        self._running.add(completion)
        future = loop.run_in_executor(self._threads, self._run, dict(request), completion)

        def ended(finished: asyncio.Future[None]) -> None:
            self._running.discard(completion)
            done()
            error = None if finished.cancelled() else finished.exception()
            completion._end(None if error is None else _failure(str(error)))

        future.add_done_callback(ended)
        return completion

    def _run(self, request: dict[str, Any], completion: Completion) -> None:
        self._server.handle_completions(request, completion._take)

    async def count_tokens(self, text: str) -> int:
        """How many tokens the model makes of a prompt."""
        answer = await self._post("/tokenize", {"content": text, "add_special": True})
        return len(answer["tokens"])

    async def apply_template(self, messages: list[dict[str, str]]) -> str:
        """The prompt that the model's own template makes of chat messages."""
        prompt: str = (await self._post("/apply-template", {"messages": messages}))["prompt"]
        return prompt

    async def is_chat_model(self) -> bool:
        """Whether the model has a chat template of its own.

        llama.cpp falls back to ChatML where there is none; a model that was not made for ChatML
        does not know its marks as tokens.
        """
        marks = "<|im_start|>"
        if marks not in await self.apply_template([{"role": "user", "content": "Hello"}]):
            return True
        answer = await self._post(
            "/tokenize", {"content": marks, "add_special": False, "parse_special": True}
        )
        return len(answer["tokens"]) == 1

    async def busy_slots(self) -> int:
        """How many of llama.cpp's slots are at work."""
        assert self._http is not None, "open comes first"  # noqa: S101 - a fault of this package
        async with self._http.get("/slots") as response:
            return sum(slot["is_processing"] for slot in await response.json())

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        assert self._http is not None, "open comes first"  # noqa: S101 - a fault of this package
        try:
            async with self._http.post(path, json=body) as response:
                answer = json.loads(await response.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            msg = f"the embedded model does not answer {path}"
            raise ModelFailedError(msg) from error
        if "error" in answer:
            msg = f"the embedded model refuses {path}"
            raise ModelFailedError(msg)
        return answer

    async def aclose(self) -> None:
        """Stops all completions and frees the model. Safe to call twice, and before `open`."""
        for completion in self._running:
            completion.stop()
        if self._http is not None:
            await self._http.close()
        self._http = None
        ending = asyncio.get_running_loop().run_in_executor(None, self._end)
        await asyncio.wait({ending}, timeout=_THREADS_END_S)

    def _end(self) -> None:
        self._threads.shutdown(wait=True)
        self._server = None
        directory, self._directory = self._directory, None
        # The HTTP thread of a load that failed may still be making its socket in there.
        for _attempt in range(_REMOVALS):
            if directory is None or not directory.exists():
                return
            shutil.rmtree(directory, ignore_errors=True)
            time.sleep(_REMOVAL_PAUSE_S)


def _cannot_load(options: LlamaOptions, context_tokens: int) -> str:
    if options.adapter is not None:
        return (
            "llama.cpp cannot put the adapter on the model; check that it was trained on "
            f"{options.file.name} and that there is enough memory"
        )
    return (
        f"llama.cpp cannot load {options.file} with a context of {context_tokens} tokens; "
        "check that the file is a GGUF model and that there is enough memory"
    )


def _failure(message: str) -> dict[str, Any]:
    return {"error": {"code": 500, "message": message}}
