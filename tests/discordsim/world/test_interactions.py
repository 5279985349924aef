"""Interactions: what may be answered, when, and what it makes."""

from __future__ import annotations

from typing import Any

import pytest

from discordsim import MessageFlag, RefusedError
from discordsim.domain import InteractionKind
from discordsim.world.callbacks import CallbackType, check_callback, text_inputs
from discordsim.world.messages import Draft

pytestmark = pytest.mark.unit

EPHEMERAL = int(MessageFlag.EPHEMERAL)


def used(place: Any, kind: InteractionKind = InteractionKind.COMMAND, **more: Any) -> Any:
    data = {"name": "ask", "custom_id": "yes"}
    return place.world.interactions.use(kind, place.bot.id, place.ann.id, place.text, data, **more)


def answered(place: Any, interaction: Any, callback: CallbackType, **more: Any) -> Any:
    data = more.pop("data", {})
    return place.world.interactions.answer(interaction, place.text, callback, data, **more)


def test_the_first_answer_comes_once_and_within_three_seconds(place: Any) -> None:
    interactions = place.world.interactions
    one, late = used(place), used(place)

    assert interactions.unanswered(one.id, one.token) == one
    answered(place, one, CallbackType.MESSAGE, draft=Draft("here"))

    with pytest.raises(RefusedError, match="40060"):
        interactions.unanswered(one.id, one.token)
    with pytest.raises(RefusedError, match="10062"):
        interactions.unanswered(late.id, one.token)
    place.clock.now += 3.1
    with pytest.raises(RefusedError, match="10062"):
        interactions.unanswered(late.id, late.token)


def test_the_token_works_after_an_answer_and_for_fifteen_minutes(place: Any) -> None:
    interactions = place.world.interactions
    interaction = used(place)
    with pytest.raises(RefusedError, match="10015"):
        interactions.of_token(place.bot.id, interaction.token)

    answered(place, interaction, CallbackType.MESSAGE, draft=Draft("here"))

    assert interactions.of_token(place.bot.id, interaction.token) == interaction
    with pytest.raises(RefusedError, match="10015"):
        interactions.of_token(place.ben.id, interaction.token)
    place.clock.now += 901
    with pytest.raises(RefusedError, match="50027"):
        interactions.of_token(place.bot.id, interaction.token)


def test_a_deferred_answer_is_filled_by_the_first_follow_up(place: Any) -> None:
    interactions = place.world.interactions
    interaction = used(place)
    thinking = answered(
        place, interaction, CallbackType.DEFERRED_MESSAGE, data={"flags": EPHEMERAL}
    )
    assert thinking.is_loading

    first = interactions.follow_up(interaction, place.text, Draft("done"))
    second = interactions.follow_up(interaction, place.text, Draft("and more"))

    assert first.id == thinking.id
    assert (first.is_loading, first.is_ephemeral, first.edited_time) == (False, True, None)
    assert (second.id != first.id, second.is_ephemeral) == (True, False)
    assert interactions.original(interaction).content == "done"


def test_an_ephemeral_answer_is_for_one_person(place: Any) -> None:
    draft = Draft("psst", flags=EPHEMERAL)
    answered(place, used(place), CallbackType.MESSAGE, draft=draft)

    def seen(reader: int | None) -> list[str]:
        history = place.world.messages.history(place.text.id, reader_id=reader)
        return [message.content for message in history]

    assert seen(place.ann.id) == ["psst"]
    assert seen(place.ben.id) == seen(None) == []


def test_a_button_updates_its_message(place: Any) -> None:
    message = place.world.messages.write(place.bot.id, place.text, Draft("Shall we?"))
    interaction = used(place, InteractionKind.COMPONENT, message_id=message.id)

    updated = answered(place, interaction, CallbackType.UPDATE_MESSAGE, draft=Draft("We shall."))

    assert (updated.id, updated.content) == (message.id, "We shall.")
    assert place.world.interactions.original(interaction) == updated


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        (InteractionKind.COMMAND, {4, 5, 9}),
        (InteractionKind.COMPONENT, {4, 5, 6, 7, 9}),
        (InteractionKind.AUTOCOMPLETE, {8}),
        (InteractionKind.MODAL, {4, 5, 6, 7}),
    ],
)
def test_each_kind_is_answered_in_its_own_ways(kind: InteractionKind, allowed: set[int]) -> None:
    form = {"custom_id": "f", "title": "Form", "components": [{}]}
    taken = set()
    for number in range(12):
        try:
            check_callback(kind, {"type": number, "data": form}, on_message=True)
        except RefusedError:
            continue
        taken.add(number)

    assert taken == allowed


def test_what_came_from_no_message_updates_none() -> None:
    with pytest.raises(RefusedError, match="must be one of"):
        check_callback(InteractionKind.MODAL, {"type": 7}, on_message=False)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"title": "T", "components": [{}]}, "data.custom_id"),
        ({"custom_id": "c", "title": "x" * 46, "components": [{}]}, "data.title"),
        ({"custom_id": "c", "title": "T", "components": [{}] * 6}, "data.components"),
    ],
)
def test_forms_are_checked(data: Any, path: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_callback(InteractionKind.COMMAND, {"type": 9, "data": data}, on_message=False)

    assert set(refused.value.fields) == {path}


def test_inputs_are_found_in_rows_and_labels() -> None:
    row = {"type": 1, "components": [{"type": 4, "custom_id": "a"}]}
    label = {"type": 18, "label": "B", "component": {"type": 4, "custom_id": "b"}}

    assert set(text_inputs([row, label])) == {"a", "b"}
