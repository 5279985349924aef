"""What Discord refuses in an answer to an interaction.

Pure. Source: Discord API reference, "Receiving and Responding".
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from discordsim.domain import InteractionKind
from discordsim.errors import invalid_form
from discordsim.world.content import Faults, too_long

if TYPE_CHECKING:
    from discordsim.domain import Json

__all__ = ("CallbackType", "check_callback", "text_inputs")


class CallbackType(IntEnum):
    """Discord's interaction callback types."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE_MESSAGE = 7
    CHOICES = 8
    MODAL = 9


_ALLOWED = {
    InteractionKind.COMMAND: {
        CallbackType.MESSAGE,
        CallbackType.DEFERRED_MESSAGE,
        CallbackType.MODAL,
    },
    InteractionKind.COMPONENT: set(CallbackType) - {CallbackType.CHOICES},
    InteractionKind.AUTOCOMPLETE: {CallbackType.CHOICES},
    InteractionKind.MODAL: set(CallbackType) - {CallbackType.CHOICES, CallbackType.MODAL},
}
_TEXT_INPUT = 4


def check_callback(kind: InteractionKind, body: Json, *, on_message: bool) -> CallbackType:
    """Return the type of an answer.

    Args:
        kind: what is answered.
        body: as sent.
        on_message: whether the interaction came from a message, which can then be updated.

    Raises:
        RefusedError: this kind of interaction cannot be answered so, or the answer has faults.
    """
    allowed = _ALLOWED[kind]
    if not on_message:
        allowed = allowed - {CallbackType.DEFERRED_UPDATE, CallbackType.UPDATE_MESSAGE}
    if body.get("type") not in allowed:
        choices = ", ".join(str(int(each)) for each in sorted(allowed))
        raise invalid_form(
            {"type": [("BASE_TYPE_CHOICES", f"Value must be one of {{{choices}}}.")]}
        )
    answer = CallbackType(body["type"])
    data = body.get("data") or {}
    if answer is CallbackType.CHOICES:
        _check_choices(data)
    elif answer is CallbackType.MODAL:
        _check_modal(data)
    return answer


def _check_choices(data: Json) -> None:
    choices = data.get("choices") or ()
    faults: Faults = {}
    if len(choices) > 25:
        faults["data.choices"] = [("BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")]
    for number, choice in enumerate(choices):
        for part in ("name", "value"):
            if isinstance(choice.get(part), str) and len(choice[part]) > 100:
                faults[f"data.choices.{number}.{part}"] = [too_long(100)]
    if faults:
        raise invalid_form(faults)


def _check_modal(data: Json) -> None:
    faults: Faults = {}
    for name, most in (("custom_id", 100), ("title", 45)):
        text = data.get(name)
        if not isinstance(text, str) or not text:
            faults[f"data.{name}"] = [("BASE_TYPE_REQUIRED", "This field is required")]
        elif len(text) > most:
            faults[f"data.{name}"] = [too_long(most)]
    if not 1 <= len(data.get("components") or ()) <= 5:
        faults["data.components"] = [("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")]
    if faults:
        raise invalid_form(faults)


def text_inputs(components: Any) -> dict[str, Json]:
    """Return the text inputs of a form by custom id, within rows or labels."""
    found: dict[str, Json] = {}
    for component in components or ():
        if component.get("type") == _TEXT_INPUT:
            found[str(component["custom_id"])] = component
        found |= text_inputs(component.get("components"))
        if (labelled := component.get("component")) is not None:
            found |= text_inputs([labelled])
    return found
