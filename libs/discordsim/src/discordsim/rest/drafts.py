"""Messages out of the bodies of requests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from discordsim.domain import Attachment, MessageFlag
from discordsim.errors import invalid_form
from discordsim.world.content import check_components, check_content, check_embeds
from discordsim.world.messages import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from discordsim.domain import Message
    from discordsim.rest.bodies import Body
    from discordsim.snowflakes import Snowflakes

__all__ = ("edited_draft", "new_draft")

_SENDABLE = (
    MessageFlag.SUPPRESS_EMBEDS
    | MessageFlag.SUPPRESS_NOTIFICATIONS
    | MessageFlag.IS_VOICE_MESSAGE
    | MessageFlag.IS_COMPONENTS_V2
)
_EDITABLE = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.IS_COMPONENTS_V2
_NOT_SIMULATED = ("poll", "sticker_ids")


def new_draft(body: Body, ids: Snowflakes, *, may_be_ephemeral: bool = False) -> Draft:
    """Return the message that a request wants written.

    Args:
        body: what came with the request.
        ids: makes the ids of files.
        may_be_ephemeral: whether it answers an interaction, where one person alone may see it.

    Raises:
        RefusedError: a part of it is not as Discord wants it, or is not simulated.
    """
    fields = body.fields
    for name in _NOT_SIMULATED:
        if fields.get(name):
            raise invalid_form({name: [("NOT_SIMULATED", f"discordsim knows no {name}")]})
    allowed = _SENDABLE | (MessageFlag.EPHEMERAL if may_be_ephemeral else 0)
    flags = int(fields.get("flags") or 0) & allowed
    reference = fields.get("message_reference") or {}
    if reference.get("type"):
        raise invalid_form(
            {"message_reference.type": [("NOT_SIMULATED", "discordsim forwards no messages")]}
        )
    nonce = fields.get("nonce")
    return Draft(
        content=check_content(fields.get("content")),
        embeds=check_embeds(fields.get("embeds")),
        components=_components(fields, flags),
        attachments=tuple(_new_files(body, ids)),
        flags=flags,
        allowed_mentions=fields.get("allowed_mentions"),
        reply_to=int(reference["message_id"]) if "message_id" in reference else None,
        fail_if_reply_is_gone=bool(reference.get("fail_if_not_exists", True)),
        nonce=None if nonce is None else str(nonce),
        enforce_nonce=bool(fields.get("enforce_nonce")),
        tts=bool(fields.get("tts")),
    )


def edited_draft(message: Message, body: Body, ids: Snowflakes) -> Draft:
    """Return what a message becomes; parts that the request does not name stay.

    Raises:
        RefusedError: a part of it is not as Discord wants it.
    """
    fields = body.fields
    flags = message.flags
    if fields.get("flags") is not None:
        flags = (flags & ~_EDITABLE) | (int(fields["flags"]) & _EDITABLE)
    draft = Draft(
        content=message.content,
        embeds=message.embeds,
        components=message.components,
        attachments=message.attachments,
        flags=flags,
        allowed_mentions=fields.get("allowed_mentions"),
    )
    if "content" in fields:
        draft = replace(draft, content=check_content(fields["content"]))
    if "embeds" in fields:
        draft = replace(draft, embeds=check_embeds(fields["embeds"]))
    if "components" in fields:
        draft = replace(draft, components=_components(fields, flags))
    kept = message.attachments
    if fields.get("attachments") is not None:
        named = {str(each.get("id")) for each in fields["attachments"]}
        kept = tuple(each for each in kept if str(each.id) in named)
    return replace(draft, attachments=(*kept, *_new_files(body, ids)))


def _components(fields: dict[str, Any], flags: int) -> tuple[Any, ...]:
    layouts = bool(flags & MessageFlag.IS_COMPONENTS_V2)
    if layouts and (fields.get("content") or fields.get("embeds")):
        raise invalid_form(
            {
                "content": [
                    (
                        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                        "The 'content' field cannot be used when using components v2",
                    )
                ]
            }
        )
    return check_components(fields.get("components"), layouts=layouts)


def _new_files(body: Body, ids: Snowflakes) -> Iterator[Attachment]:
    told = {str(each.get("id")): each for each in body.fields.get("attachments") or ()}
    for number, upload in sorted(body.files.items()):
        about = told.get(str(number), {})
        duration = about.get("duration_secs")
        yield Attachment(
            id=ids.next(),
            filename=upload.filename,
            content=upload.content,
            content_type=upload.content_type,
            description=about.get("description"),
            duration_s=None if duration is None else float(duration),
            waveform=about.get("waveform"),
        )
