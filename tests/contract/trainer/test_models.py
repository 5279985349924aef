"""ModelService on the real model with real adapters: small random ones that are made here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import gguf
import grpc
import grpc.aio
import numpy as np
import pytest
import pytest_asyncio

from voicemesh.trainer.v1 import model_service_pb2 as pb
from voicemesh.trainer.v1 import trainer_service_pb2 as trainer_pb
from voicemesh.trainer.v1.model_service_pb2_grpc import ModelServiceStub
from voicemesh.trainer.v1.trainer_service_pb2_grpc import TrainerServiceStub
from voicemesh_chassis.testing import RunningService, running
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.domain.models import ModelAction, NewModel, Promotion
from voicemesh_trainer.settings import LocalSettings, StorageSettings, TrainerSettings
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.files import FileStore, StoredFile
from voicemesh_trainer.stores.models import ModelTable

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

BASE = "gemma-3-270m"
LAYERS, WIDTH, QUERIES, RANK = 18, 640, 1024, 4
CASES = [
    pb.EvaluationCase(prompt="What is the capital of Italy?", expected="Rome"),
    pb.EvaluationCase(prompt="How many days are in a week?", expected="There are seven days."),
]

Refusal = Callable[[grpc.aio.AioRpcError], tuple[str, str]]


def adapter(path: Path, strength: float, architecture: str = "gemma3", width: int = WIDTH) -> bytes:
    """A LoRA adapter for the queries of Gemma 3 270M; without strength it changes nothing."""
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 8.0)
    for layer in range(LAYERS):
        first = random.standard_normal((RANK, width)).astype(np.float32) * 0.05
        second = random.standard_normal((QUERIES, RANK)).astype(np.float32) * strength
        writer.add_tensor(f"blk.{layer}.attn_q.weight.lora_a", first)
        writer.add_tensor(f"blk.{layer}.attn_q.weight.lora_b", second)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


@dataclass
class World:
    """A running trainer and what lies behind it."""

    service: RunningService
    models: Any
    trainer: Any
    rows: ModelTable
    files: FileStore
    directory: Path

    async def add(self, tenant: str, name: str, content: bytes, **fields: Any) -> StoredFile:
        """Registers a model as a training job would."""
        stored = await self.files.write("adapters", content)
        row = {
            "tenant": tenant,
            "name": name,
            "backend": "local",
            "base_model": BASE,
            "job_id": new_id(),
            "adapter_file": stored.name,
            "adapter_sha256": stored.sha256,
        }
        await self.rows.register(NewModel(**{**row, **fields}))
        return stored

    async def ask(
        self, tenant: str, model: str = "", question: str = "Who painted the Mona Lisa?"
    ) -> tuple[str, str]:
        """The model that answers, and its answer."""
        request = trainer_pb.GenerateRequest(
            tenant=tenant,
            model=model,
            history=[trainer_pb.Turn(role=trainer_pb.ROLE_USER, text=question)],
            sampling=trainer_pb.Sampling(max_output_tokens=24, temperature=0),
        )
        events = [event async for event in self.trainer.Generate(request)]
        return events[0].started.model, "".join(event.delta.text for event in events)

    async def promote(self, tenant: str, model: str, *, force: bool = True) -> Any:
        request = pb.PromoteModelRequest(tenant=tenant, model=model, force=force, author_id="ann")
        return (await self.models.PromoteModel(request)).model

    async def evaluate(self, tenant: str, model: str, **fields: Any) -> list[Any]:
        request = pb.EvaluateModelRequest(
            **{"tenant": tenant, "model": model, "cases": CASES, "memory_disabled": True, **fields}
        )
        return [event async for event in self.models.EvaluateModel(request)]

    async def metrics(self) -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.service.http_url}/metrics") as response,
        ):
            return await response.text()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    models_dir: object, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A trainer with room for two adapters."""
    directory = tmp_path_factory.mktemp("models")
    storage = StorageSettings(data_dir=directory)
    local = LocalSettings(context_tokens=1024, slots=1, adapters=2)
    settings = TrainerSettings(backend="local", local=local, storage=storage)
    async with running(build(settings), settings) as service:
        database = Database(storage.database)
        await database.open()
        files = FileStore(storage.files, directory / "work")
        channel = service.channel()
        yield World(
            service,
            ModelServiceStub(channel),
            TrainerServiceStub(channel),
            ModelTable(database),
            files,
            directory,
        )
        await files.aclose()
        await database.aclose()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An adapter that changes nothing."""
    return adapter(tmp_path_factory.mktemp("plain") / "adapter.gguf", 0)


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An adapter that changes every answer."""
    return adapter(tmp_path_factory.mktemp("loud") / "adapter.gguf", 1)


async def refused(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_an_adapter_is_attached_while_the_service_runs(
    world: World, plain: bytes, loud: bytes
) -> None:
    base = await world.ask("attach")
    await world.add("attach", "plain", plain)
    await world.add("attach", "loud", loud)

    assert base[0] == BASE
    assert await world.ask("attach", "plain") == ("plain", base[1])
    name, answer = await world.ask("attach", "loud")
    assert name == "loud"
    assert answer != base[1]
    assert await world.ask("attach") == base, "the base model answers as before"


async def test_a_promotion_counts_for_the_next_answer_and_is_rolled_back(
    world: World, loud: bytes, refusal: Refusal
) -> None:
    await world.add("promote", "first", loud)
    await world.add("promote", "second", loud)

    error = await refused(world.promote("promote", "first", force=False))
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert refusal(error)[0] == "PROMOTION_REFUSED"
    assert "has no evaluation" in str(error.details())

    promoted = await world.promote("promote", "first")
    assert (promoted.name, promoted.state) == ("first", pb.MODEL_STATE_ACTIVE)
    assert (promoted.base_model, promoted.tenant) == (BASE, "promote")
    assert (await world.ask("promote"))[0] == "first"
    await world.promote("promote", "second")
    assert (await world.ask("promote"))[0] == "second"
    assert (await world.ask("somebody-else"))[0] == BASE

    listed = (await world.models.ListModels(pb.ListModelsRequest(tenant="promote"))).models
    assert [(model.name, model.state) for model in listed] == [
        ("second", pb.MODEL_STATE_ACTIVE),
        ("first", pb.MODEL_STATE_ARCHIVED),
        (BASE, pb.MODEL_STATE_CANDIDATE),
    ]
    for name in ("first", BASE):
        request = pb.RollBackModelRequest(tenant="promote", author_id="bob")
        assert (await world.models.RollBackModel(request)).model.name == name
        assert (await world.ask("promote"))[0] == name
    error = await refused(world.models.RollBackModel(pb.RollBackModelRequest(tenant="promote")))
    assert refusal(error)[0] == "NOTHING_TO_ROLL_BACK"


async def test_every_change_is_recorded_with_who_asked(world: World, loud: bytes) -> None:
    await world.add("audit", "a", loud)
    await world.promote("audit", "a")
    await world.models.RollBackModel(pb.RollBackModelRequest(tenant="audit", author_id="bob"))
    await world.models.DeleteModel(
        pb.DeleteModelRequest(tenant="audit", model="a", author_id="cid")
    )

    token, changes = "", []
    while True:  # a page a change
        request = pb.ListModelChangesRequest(tenant="audit", page_size=1, page_token=token)
        page = await world.models.ListModelChanges(request)
        changes += page.changes
        if not (token := page.next_page_token):
            break
    told = [(each.action, each.model, each.previous_model, each.author_id) for each in changes]
    assert told == [
        ("deleted", "a", "", "cid"),
        ("rolled_back", BASE, "a", "bob"),
        ("promoted", "a", BASE, "ann"),
        ("registered", "a", "", ""),
    ]
    assert [each.forced for each in changes] == [False, False, True, False]


async def test_of_two_promotions_at_once_one_wins_and_the_other_is_told(
    world: World, loud: bytes, refusal: Refusal
) -> None:
    for name in ("a", "b"):
        await world.add("race", name, loud)
        await world.ask("race", name)
    outcomes = await asyncio.gather(
        *(world.promote("race", name) for name in ("a", "b")), return_exceptions=True
    )

    (winner,) = (each.name for each in outcomes if not isinstance(each, BaseException))
    (error,) = (each for each in outcomes if isinstance(each, grpc.aio.AioRpcError))
    assert error.code() is grpc.StatusCode.ABORTED
    assert refusal(error)[0] == "MODELS_CHANGED"
    assert (await world.ask("race"))[0] == winner


async def test_answers_that_run_on_the_old_model_finish(world: World, loud: bytes) -> None:
    await world.add("running", "old", loud)
    await world.add("running", "new", loud)
    await world.promote("running", "old")
    turn = trainer_pb.Turn(role=trainer_pb.ROLE_USER, text="Tell me a story.")
    request = trainer_pb.GenerateRequest(tenant="running", history=[turn])
    call = world.trainer.Generate(request)
    started = await call.read()
    await world.promote("running", "new")
    next_model = (await world.ask("running"))[0]
    last = started
    while (event := await call.read()) is not grpc.aio.EOF:
        last = event

    assert (started.started.model, next_model) == ("old", "new")
    assert last.WhichOneof("event") == "finished"


async def test_an_evaluation_lets_a_model_be_promoted(
    world: World, plain: bytes, loud: bytes, refusal: Refusal
) -> None:
    await world.add("test", "same", plain)
    await world.add("test", "worse", loud)

    *predictions, compared, scores = await world.evaluate("test", "same", compared_model=BASE)
    told = [(each.prediction.case_index, each.prediction.model) for each in predictions]
    assert told == [(0, "same"), (0, BASE), (1, "same"), (1, BASE)]
    assert predictions[0].prediction.text == predictions[1].prediction.text
    assert scores.scores.token_f1 == compared.compared_scores.token_f1 > 0
    assert scores.scores.cases_sha256 == compared.compared_scores.cases_sha256
    assert scores.scores.median_duration.ToNanoseconds() > 0
    await world.evaluate("test", "worse")

    error = await refused(world.promote("test", "worse", force=False))
    assert refusal(error)[0] == "PROMOTION_REFUSED"
    assert "scores" in str(error.details())
    promoted = await world.promote("test", "same", force=False)
    assert promoted.scores.token_f1 == scores.scores.token_f1
    assert promoted.scores.model == "same"
    assert (await world.ask("test"))[0] == "same"


async def test_who_stops_listening_ends_an_evaluation(world: World) -> None:
    request = pb.EvaluateModelRequest(tenant="stop", cases=CASES * 100)
    call = world.models.EvaluateModel(request)
    await call.read()
    call.cancel()

    async with asyncio.timeout(20):
        while 'evaluations_total{outcome="cancelled"} 1.0' not in await world.metrics():
            await asyncio.sleep(0.05)
        while 'active_generations{backend="local",model="gemma-3-270m"} 0.0' not in (
            await world.metrics()
        ):
            await asyncio.sleep(0.05)
    listed = (await world.models.ListModels(pb.ListModelsRequest(tenant="stop"))).models
    assert not listed[0].HasField("scores")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("other", "its adapter is for llama, and the model is gemma3"),
        ("shape", "llama.cpp cannot put the adapter on the model"),
        ("cut", "its adapter is no GGUF file"),
        ("junk", "its adapter is no GGUF file"),
        ("hash", "its adapter is not the file that training made"),
        ("gone", "its adapter is gone or damaged"),
        ("base", "was trained from another-model, and this server runs gemma-3-270m"),
        ("backend", "needs the openai backend"),
    ],
)
async def test_a_broken_adapter_is_explained_and_the_base_goes_on(
    world: World, plain: bytes, tmp_path: Path, refusal: Refusal, damage: str, told: str
) -> None:
    tenant, path, fields = f"broken-{damage}", tmp_path / "adapter.gguf", {}
    content = {
        "other": lambda: adapter(path, 1, architecture="llama"),
        "shape": lambda: adapter(path, 1, width=512),
        "cut": lambda: plain[: len(plain) // 2],
        "junk": lambda: b"junk" * 1000,
    }.get(damage, lambda: plain)()
    if damage == "hash":
        fields = {"adapter_sha256": "0" * 64}
    elif damage == "base":
        fields = {"base_model": "another-model"}
    elif damage == "backend":
        fields = {"backend": "openai", "provider_model": "ft:x"}
    stored = await world.add(tenant, "broken", content, **fields)
    if damage == "gone":
        await world.files.delete(stored.name)
    forced = Promotion(
        tenant,
        ModelAction.PROMOTED,
        None,
        "broken",
        True,
        "broken",
        BASE,
        True,
        "",
    )
    await world.rows.change_active(forced)

    error = await refused(world.ask(tenant))
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert refusal(error)[0] == "MODEL_UNUSABLE"
    assert told in str(error.details())
    assert str(tmp_path) not in str(error.details())
    assert str(world.directory) not in str(error.details())
    assert (await world.ask(tenant, BASE))[0] == BASE
    await world.models.RollBackModel(pb.RollBackModelRequest(tenant=tenant))
    assert (await world.ask(tenant))[0] == BASE
    error = await refused(world.promote(tenant, "broken"))
    assert refusal(error)[0] == "MODEL_UNUSABLE"


async def test_an_active_model_that_vanished_is_a_clear_refusal(
    world: World, refusal: Refusal
) -> None:
    gone = Promotion(
        "vanished",
        ModelAction.PROMOTED,
        None,
        "gone",
        False,
        "gone",
        BASE,
        True,
        "",
    )
    await world.rows.change_active(gone)

    error = await refused(world.ask("vanished"))
    assert refusal(error)[0] == "MODEL_UNUSABLE"
    assert "active model gone is no more; roll back" in str(error.details())
    await world.models.RollBackModel(pb.RollBackModelRequest(tenant="vanished"))
    assert (await world.ask("vanished"))[0] == BASE


async def test_models_of_others_and_unknown_ones_are_not_found(
    world: World, loud: bytes, refusal: Refusal
) -> None:
    await world.add("owner", "mine", loud)
    calls = [
        world.ask("thief", "mine"),
        world.promote("thief", "mine"),
        world.models.DeleteModel(pb.DeleteModelRequest(tenant="thief", model="mine")),
        world.models.DeleteModel(pb.DeleteModelRequest(tenant="owner", model=BASE)),
        world.evaluate("thief", "mine"),
    ]
    for call in calls:
        error = await refused(call)
        assert error.code() is grpc.StatusCode.NOT_FOUND
        assert refusal(error) == ("MODEL_NOT_FOUND", "model")
    error = await refused(world.evaluate("owner", "mine", judge_model="nobody"))
    assert refusal(error) == ("MODEL_NOT_FOUND", "judge_model")


async def test_the_active_model_is_not_deleted(world: World, loud: bytes, refusal: Refusal) -> None:
    await world.add("keep", "a", loud)
    await world.promote("keep", "a")
    error = await refused(world.models.DeleteModel(pb.DeleteModelRequest(tenant="keep", model="a")))

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert refusal(error)[0] == "MODEL_IN_USE"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tenant": ""}, "tenant"),
        ({"cases": []}, "cases"),
        ({"cases": CASES * 5001}, "cases"),
        ({"cases": [*CASES, pb.EvaluationCase(prompt=" ", expected="x")]}, "cases[2].prompt"),
        ({"cases": [pb.EvaluationCase(prompt="x")]}, "cases[0].expected"),
        ({"cases": [pb.EvaluationCase(prompt="x" * 16_001)]}, "cases[0].prompt"),
        ({"model": "x" * 300}, "model"),
        ({"model": BASE, "compared_model": BASE}, "compared_model"),
    ],
)
async def test_a_test_that_cannot_be_run_names_the_field(
    world: World, refusal: Refusal, fields: dict[str, Any], field: str
) -> None:
    error = await refused(world.evaluate(**{"tenant": "t", "model": "", **fields}))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(error)[1] == field


async def test_metrics_count_all_tuned_models_as_one(world: World, loud: bytes) -> None:
    await world.add("tenant-of-metrics", "model-of-metrics", loud)
    await world.ask("tenant-of-metrics", "model-of-metrics")
    metrics = await world.metrics()

    assert 'output_tokens_total{backend="local",model="tuned"}' in metrics
    assert "model-of-metrics" not in metrics
    assert "tenant-of-metrics" not in metrics
    assert "voicemesh_trainer_adapters_loaded 2.0" in metrics, "there is room for two"
