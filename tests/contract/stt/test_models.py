"""Several models: listed before they are loaded, loaded on demand, kept apart, unloaded."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_chassis.service import StartupError
from voicemesh_chassis.testing import running
from voicemesh_stt.__main__ import build
from voicemesh_stt.settings import SttSettings

pytestmark = pytest.mark.contract

TINY = "whisper-tiny.en"
CLIP = "librivox-0930.wav"


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    """Directory with two good copies of the default model, and one whose weights are cut off."""
    root = tmp_path_factory.mktemp("copies")
    for name in ("second", "third", "broken"):
        shutil.copytree(models_dir / TINY, root / name)
    with (root / "broken" / "model.bin").open("r+b") as weights:
        weights.truncate(1_000_000)
    return root


@pytest_asyncio.fixture
async def serve(
    stt_at: Callable[..., Any], models_dir: Path, copies: Path
) -> AsyncIterator[Callable[..., Any]]:
    """Runs a service that knows the copies besides its default, with these further settings."""
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> Any:
            given: dict[str, Any] = {
                "models_dir": models_dir,
                "models": tuple(str(copies / each) for each in ("second", "third", "broken")),
            }
            settings = SttSettings(**{**given, **changes})
            service = await stack.enter_async_context(running(build(settings), settings))
            return stt_at(service)

        yield start


async def listed(stt: Any) -> dict[str, pb.Model]:
    answer = await stt.stub.ListModels(pb.ListModelsRequest())
    return {model.name: model for model in answer.models}


async def loaded(stt: Any) -> set[str]:
    return {name for name, model in (await listed(stt)).items() if model.loaded}


def asking(model: str, speech: Path) -> pb.TranscribeRequest:
    audio = (speech / CLIP).read_bytes()
    return pb.TranscribeRequest(config=pb.TranscriptionConfig(model=model), audio=audio)


def live_config(model: str) -> pb.StreamTranscribeConfig:
    return pb.StreamTranscribeConfig(transcription=pb.TranscriptionConfig(model=model))


async def test_models_are_told_of_before_they_are_loaded(serve: Any) -> None:
    models = await listed(await serve())

    assert sorted(models) == ["broken", "second", "third", TINY]
    assert [name for name, model in models.items() if model.loaded] == [TINY]
    assert [name for name, model in models.items() if model.default_model] == [TINY]
    assert models[TINY].device
    second = models["second"]
    assert (list(second.language_codes), second.license, second.device) == (["en"], "unknown", "")


async def test_models_are_loaded_when_named_and_serve_at_once(
    serve: Any, speech: Path, wer: Callable[[str, str], float]
) -> None:
    stt = await serve()
    names = ["second", "", "third", "second", TINY, "third"]

    answers = await asyncio.gather(*(stt.stub.Transcribe(asking(name, speech)) for name in names))

    assert [answer.model for answer in answers] == [name or TINY for name in names]
    assert all(wer(CLIP, answer.text) < 0.2 for answer in answers)
    models = await listed(stt)
    assert {name for name, model in models.items() if model.loaded} == {TINY, "second", "third"}
    assert models["second"].device == models[TINY].device


async def test_a_live_stream_names_its_model(
    serve: Any, stream: Any, pcm: Any, voice: Any, wer: Callable[[str, str], float]
) -> None:
    stt = await serve()

    events = await stt.listen(stream(pcm(voice(CLIP)), config=live_config("second")))

    assert events[-1].final.model == "second"
    text = " ".join(event.final.text for event in events if event.HasField("final"))
    assert wer(CLIP, text) < 0.2


async def test_a_damaged_model_is_that_callers_error_and_no_one_elses(
    serve: Any, speech: Path, stream: Any, copies: Path
) -> None:
    stt = await serve()
    others = [stt.stub.Transcribe(asking(name, speech)) for name in ("", "second", "")]

    problem = await stt.problem(stt.stub.Transcribe(asking("broken", speech)))
    of_stream = await stt.problem(stt.listen(stream(b"", config=live_config("broken"))))

    for each in (problem, of_stream):
        assert each.code is grpc.StatusCode.FAILED_PRECONDITION
        assert each.reason == "MODEL_LOAD_FAILED"
        assert each.message.startswith("model broken cannot be loaded: ")
        assert str(copies) not in each.message
    assert all([(await each).text for each in others])
    assert await loaded(stt) == {TINY, "second"}
    await stt.running.check_well()


async def test_a_request_that_cannot_be_served_loads_nothing(serve: Any, speech: Path) -> None:
    stt = await serve()
    request = asking("second", speech)
    request.config.language_code = "de"
    empty = asking("third", speech)
    empty.audio = b""

    assert (await stt.problem(stt.stub.Transcribe(request))).fields == ("config.language_code",)
    assert (await stt.problem(stt.stub.Transcribe(empty))).fields == ("audio",)

    assert await loaded(stt) == {TINY}


async def test_a_model_that_is_not_among_those_named_is_unknown(serve: Any, speech: Path) -> None:
    stt = await serve()

    problem = await stt.problem(stt.stub.Transcribe(asking("whisper-base", speech)))

    assert (problem.code, problem.reason) == (grpc.StatusCode.NOT_FOUND, "UNKNOWN_MODEL")
    assert problem.fields == ("config.model",)
    assert "it has broken, second, third, whisper-tiny.en" in problem.message


async def test_a_model_in_use_keeps_its_place_and_gives_it_up_after(
    serve: Any, speech: Path, stream: Any
) -> None:
    stt = await serve(max_loaded_models=2)
    go_on = asyncio.Event()

    async def slowly() -> AsyncIterator[pb.StreamTranscribeRequest]:
        for message in stream(bytes(3_200), config=live_config("second")):
            yield message
        await go_on.wait()

    call = stt.stub.StreamTranscribe(slowly())
    reading = asyncio.ensure_future(call.read())
    await stt.running.until(lambda: _is_loaded(stt, "second"))

    problem = await stt.problem(stt.stub.Transcribe(asking("third", speech)))
    assert (problem.code, problem.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "MODELS_BUSY")

    go_on.set()
    assert await reading == grpc.aio.EOF
    assert (await stt.stub.Transcribe(asking("third", speech))).model == "third"
    assert await loaded(stt) == {TINY, "third"}


async def _is_loaded(stt: Any, name: str) -> bool:
    return name in await loaded(stt)


async def test_a_model_out_of_use_is_unloaded_and_comes_back(serve: Any, speech: Path) -> None:
    stt = await serve(model_idle_timeout_s=0.1)
    await stt.stub.Transcribe(asking("second", speech))

    async def alone() -> bool:
        return await loaded(stt) == {TINY}

    await stt.running.until(alone)

    assert (await stt.stub.Transcribe(asking("second", speech))).text
    assert (await stt.stub.Transcribe(asking("", speech))).text


async def test_calls_that_give_up_during_a_load_do_not_end_it(serve: Any, speech: Path) -> None:
    stt = await serve()
    calls = [stt.stub.Transcribe(asking("second", speech)) for _ in range(4)]

    async def all_in() -> bool:
        return bool(await stt.running.metric("grpc_server_in_flight") == len(calls))

    await stt.running.until(all_in)
    for call in calls:
        call.cancel()
    for call in calls:
        with pytest.raises(asyncio.CancelledError):
            await call

    await stt.running.until(lambda: _is_loaded(stt, "second"))
    await stt.running.check_well()


async def test_a_warm_model_stays_loaded(serve: Any, copies: Path, speech: Path) -> None:
    stt = await serve(
        warm_models=(str(copies / "second"),), max_loaded_models=3, model_idle_timeout_s=0.1
    )
    assert await loaded(stt) == {TINY, "second"}

    await stt.stub.Transcribe(asking("third", speech))

    async def third_gone() -> bool:
        return await loaded(stt) == {TINY, "second"}

    await stt.running.until(third_gone)


@pytest.mark.parametrize("setting", ["model", "warm_models"])
async def test_a_damaged_model_that_must_be_warm_ends_the_start_with_one_sentence(
    setting: str, models_dir: Path, copies: Path
) -> None:
    path = str(copies / "broken")
    changes: dict[str, Any] = {setting: path if setting == "model" else (path,)}
    settings = SttSettings(models_dir=models_dir, **changes)

    with pytest.raises(StartupError, match=r"model broken in .*/broken cannot be loaded") as caught:
        async with running(build(settings), settings):
            pass

    assert "\n" not in str(caught.value)
