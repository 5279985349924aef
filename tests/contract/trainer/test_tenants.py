"""Personas and people's data over gRPC; and a database that goes away and comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh.trainer.v1 import trainer_service_pb2_grpc
from voicemesh_chassis.testing import running
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.settings import LocalSettings, StorageSettings, TrainerSettings

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

Ask = Callable[..., pb.GenerateRequest]
TextOf = Callable[[list[pb.GenerateResponse]], str]
Refusal = Callable[[grpc.aio.AioRpcError], tuple[str, str]]


async def answer(stub: Any, text_of: TextOf, request: pb.GenerateRequest) -> str:
    return text_of([event async for event in stub.Generate(request)])


async def test_a_persona_counts_for_the_very_next_answer(
    stub: Any, ask: Ask, text_of: TextOf
) -> None:
    tenant = "persona of a pirate"
    request = ask("What is your name?", tenant=tenant)
    assert not (await stub.GetPersona(pb.GetPersonaRequest(tenant=tenant))).persona.ByteSize()
    assert "Blackbeard" not in await answer(stub, text_of, request)

    persona = pb.Persona(name=" Blackbeard ", system_prompt="You are a pirate.")
    kept = (await stub.SetPersona(pb.SetPersonaRequest(tenant=tenant, persona=persona))).persona
    assert (kept.name, kept.system_prompt) == ("Blackbeard", "You are a pirate.")
    assert kept.update_time.ToSeconds() > 0
    assert (await stub.GetPersona(pb.GetPersonaRequest(tenant=tenant))).persona == kept

    assert "Blackbeard" in await answer(stub, text_of, request)
    # Another tenant has none, and a request may bring its own.
    other = ask("What is your name?", tenant="no pirate")
    assert "Blackbeard" not in await answer(stub, text_of, other)
    own = ask("What is your name?", tenant=tenant, system_prompt="You are a gardener.")
    assert "Blackbeard" not in await answer(stub, text_of, own)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.SetPersonaRequest(persona=pb.Persona(name="n")), "tenant"),
        (pb.SetPersonaRequest(tenant="t", persona=pb.Persona(name="n" * 65)), "persona.name"),
        (pb.SetPersonaRequest(tenant="t", persona=pb.Persona(name="a\nb")), "persona.name"),
        (
            pb.SetPersonaRequest(tenant="t", persona=pb.Persona(system_prompt="n" * 16_001)),
            "persona.system_prompt",
        ),
        (pb.GetPersonaRequest(tenant=" "), "tenant"),
        (pb.ListAuthorDataRequest(tenant="t"), "author_id"),
        (pb.ListAuthorDataRequest(tenant="t", author_id="a" * 65), "author_id"),
        (pb.ListAuthorDataRequest(tenant="t", author_id="a", page_size=-1), "page_size"),
        (pb.ListAuthorDataRequest(tenant="t", author_id="a", page_token="?"), "page_token"),
        (pb.DeleteAuthorDataRequest(tenant="t", author_id=" "), "author_id"),
        (pb.DeleteAuthorDataRequest(author_id="a"), "tenant"),
    ],
)
async def test_what_cannot_be_used_is_named(
    stub: Any, refusal: Refusal, request_: Any, field: str
) -> None:
    method = getattr(stub, type(request_).__name__.removesuffix("Request"))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await method(request_)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(refused.value) == ("INVALID_ARGUMENT", field)


async def test_what_a_person_gave_is_listed_and_deleted_for_the_very_next_answer(
    stub: Any, ask: Ask, text_of: TextOf
) -> None:
    tenant = "people's data"
    for number in range(3):
        await stub.RecordCorrection(
            pb.RecordCorrectionRequest(
                tenant=tenant,
                question=f"Who leads guild number {number}?",
                corrected_text=f"Captain Zarquon {number}.",
                author_id="ann",
            )
        )
    await stub.RecordFeedback(
        pb.RecordFeedbackRequest(tenant=tenant, comment="Good!", author_id="ann")
    )
    listed, token = [], ""
    while True:
        page = await stub.ListAuthorData(
            pb.ListAuthorDataRequest(tenant=tenant, author_id="ann", page_size=2, page_token=token)
        )
        assert len(page.items) <= 2
        listed += page.items
        if not (token := page.next_page_token):
            break
    assert [(item.kind, item.text) for item in listed] == [
        *(("correction", f"Captain Zarquon {number}.") for number in range(3)),
        ("feedback", "Good!"),
    ]
    question = ask("Who leads guild number 1?", tenant=tenant)
    assert await answer(stub, text_of, question) == "Captain Zarquon 1."

    everything = pb.DeleteAuthorDataRequest(tenant=tenant, author_id="ann")
    deleted = await stub.DeleteAuthorData(everything)
    assert (deleted.correction_count, deleted.feedback_count, deleted.example_count) == (3, 1, 0)

    assert "Zarquon" not in await answer(stub, text_of, question)
    left = await stub.ListAuthorData(pb.ListAuthorDataRequest(tenant=tenant, author_id="ann"))
    assert not left.items


async def test_a_database_that_is_away_is_said_to_be_and_used_again_when_it_is_back(
    tmp_path: Path, ask: Ask, text_of: TextOf, refusal: Refusal
) -> None:
    data = tmp_path / "data"
    settings = TrainerSettings(
        backend="local",
        local=LocalSettings(context_tokens=1024),
        storage=StorageSettings(data_dir=data, wait_s=0.5),
    )
    correction = pb.RecordCorrectionRequest(
        tenant="t", question="Who is away now?", corrected_text="The database."
    )
    async with running(build(settings), settings) as service:
        stub: Any = trainer_service_pb2_grpc.TrainerServiceStub(service.channel())
        data.rename(tmp_path / "away")
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await stub.RecordCorrection(correction, timeout=20)
        assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
        assert refusal(failed.value)[0] == "DATABASE_UNAVAILABLE"
        retry = error_details_pb2.RetryInfo()
        assert any(each.Unpack(retry) for each in rpc_status.from_call(failed.value).details)
        # A model answers all the same.
        assert await answer(stub, text_of, ask("Who is away now?"))

        (tmp_path / "away").rename(data)
        await stub.RecordCorrection(correction, timeout=20)
        assert await answer(stub, text_of, ask("Who is away now?")) == "The database."
        assert await service.metric("voicemesh_trainer_database_up") == 1
        await service.check_well()
