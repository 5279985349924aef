"""Which model answers a tenant, also while the database is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from voicemesh_trainer.domain.conversations import Ended, FinishReason, ModelInfo, TokenUsage
from voicemesh_trainer.domain.models import ModelState, TunedModel
from voicemesh_trainer.domain.tenants import TenantState
from voicemesh_trainer.errors import (
    DatabaseUnavailableError,
    ModelNotFoundError,
    ModelUnusableError,
)
from voicemesh_trainer.roster import ModelRoster

if TYPE_CHECKING:
    from voicemesh_trainer.domain.conversations import Conversation, ModelEvent

pytestmark = pytest.mark.unit


class Model:
    """A model by its name."""

    def __init__(self, name: str) -> None:
        self.info = ModelInfo(name, "local")

    async def open(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def reply(self, conversation: Conversation) -> AsyncGenerator[ModelEvent, None]:
        yield Ended(FinishReason.STOP, TokenUsage())


class Rows:
    """What tenants trained and chose; may be away, or silent."""

    def __init__(self) -> None:
        self.choice: str | None = None
        self.own: dict[str, TunedModel] = {}
        self.away = False
        self.silent = False

    async def _ask(self) -> None:
        if self.silent:
            await asyncio.Event().wait()
        if self.away:
            msg = "gone"
            raise DatabaseUnavailableError(msg)

    async def chosen(self, tenant: str) -> str | None:
        await self._ask()
        return self.choice if tenant == "t" else None

    async def find(self, tenant: str, name: str) -> TunedModel | None:
        await self._ask()
        return self.own.get(name) if tenant == "t" else None


class Lender:
    """A `TunedModels`."""

    @asynccontextmanager
    async def lease(self, model: TunedModel) -> AsyncIterator[Model]:
        yield Model(model.name)


@pytest.fixture
def rows() -> Rows:
    rows = Rows()
    state = ModelState.ACTIVE
    for name, backend in (("mine", "local"), ("theirs", "openai")):
        rows.own[name] = TunedModel(
            "t", name, backend, "base", f"job-{name}", state, "f", None, None, "", 0
        )
    return rows


@pytest.fixture
def roster(rows: Any) -> ModelRoster:
    models = [Model("base"), Model("other")]
    return ModelRoster(models, rows, {"local": Lender()}, wait_s=0.05)


async def answers(roster: ModelRoster, tenant: str = "t", name: str = "") -> str:
    async with roster.lease(tenant, name) as model:
        return model.info.name


async def test_a_name_is_the_servers_or_the_tenants(roster: ModelRoster) -> None:
    assert await answers(roster, name="other") == "other"
    assert await answers(roster, name="mine") == "mine"
    with pytest.raises(ModelNotFoundError):
        await answers(roster, tenant="else", name="mine")


@pytest.mark.parametrize(
    ("choice", "model"), [(None, "base"), ("other", "other"), ("mine", "mine")]
)
async def test_without_a_name_the_tenants_choice_answers(
    roster: ModelRoster, rows: Rows, choice: str | None, model: str
) -> None:
    rows.choice = choice

    assert await answers(roster) == model
    assert await answers(roster, tenant="else") == "base"


async def test_a_choice_that_was_looked_up_already_is_not_asked_for_again(
    roster: ModelRoster, rows: Rows
) -> None:
    rows.choice = "other"
    for state, name in ((TenantState(active_model="mine"), "mine"), (TenantState(), "base")):
        async with roster.lease("t", "", state) as model:
            assert model.info.name == name


async def test_a_choice_that_is_gone_is_not_replaced_by_another(
    roster: ModelRoster, rows: Rows
) -> None:
    rows.choice = "gone"
    with pytest.raises(ModelUnusableError, match="roll back"):
        await answers(roster)


async def test_a_model_of_a_backend_that_is_not_set_up_is_told(roster: ModelRoster) -> None:
    with pytest.raises(ModelUnusableError, match="needs the openai backend"):
        await answers(roster, name="theirs")


@pytest.mark.parametrize("trouble", ["away", "silent"])
async def test_while_the_database_is_away_the_choice_is_what_it_was(
    roster: ModelRoster, rows: Rows, trouble: str
) -> None:
    rows.choice = "mine"
    assert await answers(roster) == "mine"
    setattr(rows, trouble, True)

    assert await answers(roster) == "mine"
    assert await answers(roster, tenant="never seen") == "base"
    assert await answers(roster, name="base") == "base", "what is the server's own needs no rows"

    setattr(rows, trouble, False)
    rows.choice = "other"
    assert await answers(roster) == "other"


async def test_a_named_model_of_a_tenant_needs_the_database(
    roster: ModelRoster, rows: Rows
) -> None:
    rows.away = True
    with pytest.raises(DatabaseUnavailableError):
        await answers(roster, name="mine")


async def test_a_server_that_keeps_nothing_has_its_own_models() -> None:
    roster = ModelRoster([Model("base")])

    assert await answers(roster) == "base"
    with pytest.raises(ModelNotFoundError):
        await answers(roster, name="mine")
