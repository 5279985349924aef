"""The same questions to pipecat; runs in the environment of `requirements/peers-voice.txt`.

    python -P pipecat_pipeline.py JOB.json

Audio goes in and comes out in memory, in real time: 20 ms at a time, and what comes out is played
as a sound card would. Prints a line of JSON when it is ready, and one for every question. The job
says which models, how pipecat is set, and what is asked; see `benchmarks.voice.peer`.
"""

from __future__ import annotations

import asyncio
import functools
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    LLMTextFrame,
    OutputAudioRawFrame,
    StartFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.piper.tts import PiperTTSService
from pipecat.services.whisper.stt import WhisperSTTService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

RATE_HERTZ = 16_000
FRAME_S = 0.02
_FRAME = round(RATE_HERTZ * FRAME_S)
_AUDIBLE_DB = -50.0
_QUIET_S = 1.0
_PATIENCE_S = 8.0
_REMEMBERED = 20
"""Questions after which the conversation begins anew: pipecat would let it outgrow the model."""


class Microphone(BaseInputTransport):  # type: ignore[misc] # only in its own environment
    """Somebody who speaks, or does not; there is a packet every 20 ms either way."""

    def __init__(self, params: TransportParams) -> None:
        super().__init__(params)
        self._said: asyncio.Queue[tuple[npt.NDArray[np.int16], asyncio.Future[list[float]]]] = (
            asyncio.Queue()
        )

    async def start(self, frame: StartFrame) -> None:
        """As pipecat wants it."""
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def say(self, audio: npt.NDArray[np.int16]) -> list[float]:
        """Says int16 samples; when each packet left, by the monotonic clock."""
        done: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        self._said.put_nowait((audio, done))
        return await done

    async def run(self) -> None:
        """The clock."""
        due = time.monotonic()
        noise = np.random.default_rng(7).normal(0, 3, (64, _FRAME)).astype(np.int16)
        rest, count = np.zeros(0, np.int16), 0
        done: asyncio.Future[list[float]] | None = None
        times: list[float] = []
        while True:
            if done is None and not self._said.empty():
                rest, done = self._said.get_nowait()
                times = []
            packet, rest = rest[:_FRAME], rest[_FRAME:]
            if len(packet) < _FRAME:
                packet = np.pad(packet, (0, _FRAME - len(packet)))
            packet = packet + noise[count % len(noise)]
            count += 1
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += FRAME_S
            times.append(time.monotonic())
            await self.push_audio_frame(InputAudioRawFrame(packet.tobytes(), RATE_HERTZ, 1))
            if done is not None and not len(rest):
                done.set_result(times)
                done = None


class Speaker(BaseOutputTransport):  # type: ignore[misc]
    """Plays what is written, and remembers when there was sound."""

    def __init__(self, params: TransportParams) -> None:
        super().__init__(params)
        self.sounds: list[float] = []
        self._free_s = 0.0

    async def start(self, frame: StartFrame) -> None:
        """As pipecat wants it."""
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Plays it, and returns when it is over."""
        samples = np.frombuffer(frame.audio, "<i2").astype(np.float64) / 32768
        starts_s = max(time.monotonic(), self._free_s)
        size = round(frame.sample_rate * FRAME_S)
        for first in range(0, len(samples), size):
            energy = float(np.mean(np.square(samples[first : first + size])))
            if 10 * np.log10(max(energy, 1e-12)) >= _AUDIBLE_DB:
                self.sounds.append(starts_s + first / frame.sample_rate)
        self._free_s = starts_s + len(samples) / frame.sample_rate
        await asyncio.sleep(max(0.0, self._free_s - time.monotonic()))
        return True


class Note(FrameProcessor):  # type: ignore[misc]
    """Writes down when frames of some kinds pass."""

    def __init__(self, note: Callable[[str, str], None], kinds: dict[type[Frame], str]) -> None:
        super().__init__()
        self._note, self._kinds = note, kinds

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Looks at it, and hands it on."""
        await super().process_frame(frame, direction)
        if direction is FrameDirection.DOWNSTREAM and type(frame) in self._kinds:
            self._note(self._kinds[type(frame)], getattr(frame, "text", ""))
        await self.push_frame(frame, direction)


class Conversation:
    """One pipeline, and somebody who asks it."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._noted: list[tuple[str, float, str]] = []
        params = TransportParams(audio_in_enabled=True, audio_out_enabled=True)
        self._microphone, self._speaker = Microphone(params), Speaker(params)
        self._context = LLMContext()
        user, assistant = LLMContextAggregatorPair(self._context, user_params=_user(job["setting"]))
        note = functools.partial(Note, self._take)
        pipeline = Pipeline(
            [
                self._microphone,
                _stt(job),
                note({TranscriptionFrame: "words"}),
                user,
                note({LLMContextFrame: "over"}),
                _llm(job),
                note({LLMTextFrame: "token"}),
                _tts(job),
                note({TTSAudioRawFrame: "sound"}),
                self._speaker,
                assistant,
            ]
        )
        self._worker = PipelineWorker(pipeline, params=PipelineParams(), idle_timeout_secs=None)

    async def run(self, turns: list[dict[str, Any]]) -> None:
        """Asks everything, and prints what came of it."""
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self._worker)
        running = asyncio.create_task(runner.run())
        await asyncio.sleep(1.0)
        speaking = asyncio.create_task(self._microphone.run())
        await self._ask(turns[0])  # The first of all runs is slower, with all systems.
        print(json.dumps({"ready": version("pipecat-ai")}), flush=True)
        for number, turn in enumerate(turns):
            if number % _REMEMBERED == 0:
                self._context.set_messages([])
            print(json.dumps(await self._ask(turn)), flush=True)
        await self._worker.cancel()
        speaking.cancel()
        await asyncio.gather(running, speaking, return_exceptions=True)

    async def _ask(self, turn: dict[str, Any]) -> dict[str, Any]:
        self._noted.clear()
        times = await self._microphone.say(np.load(turn["audio"]))
        end_s = times[turn["last_voiced"]]
        await self._until_quiet(end_s)
        heard = [at for at in self._speaker.sounds if at > end_s]
        before = [at for at in self._speaker.sounds if times[0] < at <= end_s]
        self._speaker.sounds.clear()
        return {
            "heard_s": heard[0] - end_s if heard else None,
            "heard_before": bool(before),
            "cut": any(kind == "over" and at < end_s for kind, at, _ in self._noted),
            "noted": [(kind, at - end_s) for kind, at in self._firsts(end_s)],
            "words": " ".join(text for kind, _, text in self._noted if kind == "words"),
            "answer": "".join(text for kind, _, text in self._noted if kind == "token"),
        }

    async def _until_quiet(self, end_s: float) -> None:
        """Returns when the answer is over, or none comes."""
        while True:
            await asyncio.sleep(0.05)
            now = time.monotonic()
            last = self._speaker.sounds[-1] if self._speaker.sounds else 0.0
            if now - max(last, end_s) > (_QUIET_S if last > end_s else _PATIENCE_S):
                return

    def _firsts(self, end_s: float) -> list[tuple[str, float]]:
        """When each thing happened first after the end of the question."""
        found: dict[str, float] = {}
        for kind, at, _ in self._noted:
            if at > end_s:
                found.setdefault(kind, at)
        return list(found.items())

    def _take(self, kind: str, text: str) -> None:
        self._noted.append((kind, time.monotonic(), text))


def _user(setting: dict[str, Any]) -> LLMUserAggregatorParams:
    vad = VADParams(stop_secs=setting["vad_stop_s"]) if "vad_stop_s" in setting else VADParams()
    params = LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer(params=vad))
    if "speech_timeout_s" in setting:
        timeout_s = setting["speech_timeout_s"]
        stop = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=timeout_s)
        params.user_turn_strategies = UserTurnStrategies(stop=[stop])
    return params


def _stt(job: dict[str, Any]) -> WhisperSTTService:
    stt = WhisperSTTService(
        device="cpu",
        compute_type="int8",
        settings=WhisperSTTService.Settings(model=job["whisper"]),
    )
    if "beam" in job["setting"]:
        # pipecat has no setting for it.
        model: Any = stt._model
        model.transcribe = functools.partial(model.transcribe, beam_size=job["setting"]["beam"])
    return stt


def _llm(job: dict[str, Any]) -> OpenAILLMService:
    settings = OpenAILLMService.Settings(
        model=job["llm"],
        temperature=0.0,
        max_tokens=job["max_tokens"],
        extra={"stop": ["\n"]},
    )
    return OpenAILLMService(api_key="none", base_url=job["llm_url"], settings=settings)


def _tts(job: dict[str, Any]) -> PiperTTSService:
    file = Path(job["piper"])
    return PiperTTSService(
        download_dir=file.parent, settings=PiperTTSService.Settings(voice=file.stem)
    )


def main() -> None:
    """Runs a job."""
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(Conversation(job).run(job["turns"]))


if __name__ == "__main__":
    main()
