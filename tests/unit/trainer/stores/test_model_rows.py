"""Models, changes and scores in the database, SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from voicemesh_trainer.domain.evaluations import EvaluationScores
from voicemesh_trainer.domain.models import ModelAction, ModelState, NewModel, Promotion
from voicemesh_trainer.errors import (
    ModelInUseError,
    ModelNotFoundError,
    ModelsChangedError,
)
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.evaluations import EvaluationTable
from voicemesh_trainer.stores.models import ModelTable, insert_model

pytestmark = pytest.mark.unit


def made(name: str, *, tenant: str = "t", job: str | None = None) -> NewModel:
    job_id = job or f"01J{name.upper():0>23}"
    return NewModel(tenant, name, "local", "base", job_id, "adapters/x", "a" * 64, author_id="ann")


def promotion(expected: str | None, chosen: str | None, **fields: object) -> Promotion:
    whole = Promotion(
        tenant="t",
        action=ModelAction.PROMOTED,
        expected=expected,
        chosen=chosen,
        chosen_own=chosen is not None,
        model=chosen or "base",
        previous_model=expected or "base",
        forced=False,
        author_id="bob",
    )
    return replace(whole, **fields)  # type: ignore[arg-type] # fields of the test's choice


def scores(model: str, cases: str, time: float) -> EvaluationScores:
    return EvaluationScores(
        model=model,
        cases_sha256=cases * 64,
        case_count=3,
        error_count=1,
        exact_match=1 / 3,
        normalized_match=2 / 3,
        token_f1=0.5,
        chrf=41.5,
        median_s=None,
        judged_right=0.25,
        judged_count=2,
        evaluate_time=time,
    )


@pytest.fixture
async def table(database: Database) -> ModelTable:
    times = iter(range(1000))
    table = ModelTable(database, now=lambda: float(next(times)))
    for name in ("a", "b"):
        await table.register(made(name))
    return table


async def states(table: ModelTable) -> dict[str, ModelState]:
    return {model.name: model.state for model in await table.models("t")}


async def test_a_new_model_is_a_candidate_of_its_tenant_alone(table: ModelTable) -> None:
    found = await table.find("t", "a")

    assert found is not None
    assert (found.state, found.base_model, found.create_time) == (ModelState.CANDIDATE, "base", 0)
    assert await table.find("other", "a") is None
    assert await table.models("other") == ()
    assert [model.name for model in await table.models("t")] == ["b", "a"], "newest first"
    assert await table.chosen("t") is None


async def test_a_job_makes_one_model_however_often_it_says_so(table: ModelTable) -> None:
    again = await table.register(made("a"))

    assert again == await table.find("t", "a")
    assert len(await table.changes("t")) == 2


async def test_a_name_that_is_taken_becomes_longer(table: ModelTable) -> None:
    other = await table.register(made("a", job="01JZ" + "Z" * 22))

    assert other.name == "a-01jz" + "z" * 22


async def test_a_model_of_a_transaction_that_fails_is_not_there(
    database: Database, table: ModelTable
) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            await insert_model(connection, made("c"), 0)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()

    assert await table.find("t", "c") is None


async def test_a_promotion_changes_choice_states_and_record_at_once(table: ModelTable) -> None:
    await table.change_active(promotion(None, "a"))
    await table.change_active(promotion("a", "b", forced=True))

    assert await table.chosen("t") == "b"
    assert await table.chosen("other") is None
    assert await states(table) == {"a": ModelState.ARCHIVED, "b": ModelState.ACTIVE}
    last, before, *registered = await table.changes("t")
    assert (last.action, last.model, last.previous_model) == (ModelAction.PROMOTED, "b", "a")
    assert (last.forced, last.author_id, before.forced) == (True, "bob", False)
    assert last.number > before.number
    assert [each.action for each in registered] == [ModelAction.REGISTERED] * 2
    assert {each.author_id for each in registered} == {"ann"}


async def test_the_servers_default_can_be_chosen_again(table: ModelTable) -> None:
    await table.change_active(promotion(None, "a"))
    await table.change_active(promotion("a", None))

    assert await table.chosen("t") is None
    assert (await states(table))["a"] is ModelState.ARCHIVED


async def test_of_two_promotions_at_once_one_wins(table: ModelTable) -> None:
    both = (table.change_active(promotion(None, name)) for name in ("a", "b"))
    outcomes = await asyncio.gather(*both, return_exceptions=True)

    (error,) = (each for each in outcomes if each is not None)
    assert isinstance(error, ModelsChangedError)
    winner = await table.chosen("t")
    assert (await states(table))[str(winner)] is ModelState.ACTIVE
    assert list((await states(table)).values()).count(ModelState.ACTIVE) == 1
    assert [each.action for each in await table.changes("t")].count(ModelAction.PROMOTED) == 1


async def test_a_model_that_was_deleted_meanwhile_is_not_promoted(table: ModelTable) -> None:
    await table.delete("t", "a", "")
    with pytest.raises(ModelsChangedError):
        await table.change_active(promotion(None, "a"))

    assert await table.chosen("t") is None


async def test_a_deletion_takes_the_scores_along_and_is_recorded(
    database: Database, table: ModelTable
) -> None:
    evaluations = EvaluationTable(database)
    await evaluations.add("t", scores("a", "1", 1))
    await evaluations.add("t", scores("b", "1", 1))
    await table.delete("t", "a", "ann")

    assert await table.find("t", "a") is None
    assert set(await evaluations.latest("t")) == {"b"}
    last = (await table.changes("t"))[0]
    assert (last.action, last.model, last.author_id) == (ModelAction.DELETED, "a", "ann")


async def test_the_active_model_is_not_deleted(table: ModelTable) -> None:
    await table.change_active(promotion(None, "a"))
    with pytest.raises(ModelInUseError):
        await table.delete("t", "a", "")

    assert await table.find("t", "a") is not None


async def test_only_own_models_can_be_deleted(table: ModelTable) -> None:
    for tenant, name in (("t", "base"), ("other", "a")):
        with pytest.raises(ModelNotFoundError):
            await table.delete(tenant, name, "")


async def test_the_last_scores_on_each_set_of_cases_are_kept_apart(database: Database) -> None:
    table = EvaluationTable(database)
    given = [scores("a", "1", 1), scores("a", "2", 2), scores("a", "1", 3), scores("b", "1", 4)]
    for each in given:
        await table.add("t", each)
    await table.add("other", scores("a", "1", 9))

    assert await table.of_model("t", "a") == (given[2], given[1])
    assert await table.of_model("t", "c") == ()
    assert await table.latest("t") == {"a": given[2], "b": given[3]}
