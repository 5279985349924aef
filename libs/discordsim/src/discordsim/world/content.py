"""What Discord refuses in a message.

Pure. Source: Discord API reference, "Message", "Embed limits" and "Components".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.errors import RefusedError, invalid_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from discordsim.domain import Attachment, Json

__all__ = (
    "ATTACHMENT_LIMIT_BYTES",
    "CONTENT_LIMIT",
    "REQUEST_LIMIT_BYTES",
    "Faults",
    "check_attachments",
    "check_components",
    "check_content",
    "check_embeds",
    "interactive_components",
    "too_long",
)

CONTENT_LIMIT = 2000
"""Most characters of a message's content."""

ATTACHMENT_LIMIT_BYTES = 10 * 1024 * 1024
"""Largest file on a message."""

REQUEST_LIMIT_BYTES = 25 * 1024 * 1024
"""Largest request."""

Faults = dict[str, list[tuple[str, str]]]
"""Faults of a form by dotted path: pairs of error code and sentence."""

_EMBED_LIMITS = {"title": 256, "description": 4096}
_BUTTON, _MENUS = 2, frozenset({3, 5, 6, 7, 8})
_ROW, _LAYOUT = 1, frozenset({9, 10, 11, 12, 13, 14, 17})
_LINK, _PREMIUM = 5, 6


def too_long(limit: int) -> tuple[str, str]:
    """Return the fault of a text with more than `limit` characters."""
    return "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length."


def _wrong_length(least: int, most: int) -> tuple[str, str]:
    return "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length."


def _required() -> tuple[str, str]:
    return "BASE_TYPE_REQUIRED", "This field is required"


def check_content(content: object) -> str:
    """Return the content of a message, with the spaces around it cut as Discord does.

    Raises:
        RefusedError: it is no text, or too long.
    """
    if content is None:
        return ""
    if not isinstance(content, str):
        raise invalid_form(
            {"content": [("STRING_TYPE_CONVERT", f"Could not interpret {content!r} as string.")]}
        )
    if len(content) > CONTENT_LIMIT:
        raise invalid_form({"content": [too_long(CONTENT_LIMIT)]})
    return content.strip()


def check_embeds(embeds: object) -> tuple[Json, ...]:
    """Return the embeds of a message.

    Raises:
        RefusedError: they are too many, too long or not objects.
    """
    if embeds is None:
        return ()
    if not isinstance(embeds, list) or not all(isinstance(each, dict) for each in embeds):
        raise invalid_form(
            {"embeds": [("LIST_TYPE_CONVERT", "Only iterables of embeds may be used.")]}
        )
    faults: Faults = {}
    if len(embeds) > 10:
        faults["embeds"] = [_wrong_length(0, 10)]
    for number, embed in enumerate(embeds):
        for path, sentence in _embed_faults(embed):
            faults[f"embeds.{number}.{path}"] = [sentence]
    if sum(map(_embed_length, embeds)) > 6000:
        faults["embeds"] = [("MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")]
    if faults:
        raise invalid_form(faults)
    return tuple({"type": "rich", **embed} for embed in embeds)


def _embed_faults(embed: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, limit in _EMBED_LIMITS.items():
        if len(embed.get(name) or "") > limit:
            yield name, too_long(limit)
    for part, name, limit in (("footer", "text", 2048), ("author", "name", 256)):
        if len((embed.get(part) or {}).get(name) or "") > limit:
            yield f"{part}.{name}", too_long(limit)
    fields = embed.get("fields") or []
    if len(fields) > 25:
        yield "fields", _wrong_length(0, 25)
    for number, field in enumerate(fields):
        for name, limit in (("name", 256), ("value", 1024)):
            if not field.get(name):
                yield f"fields.{number}.{name}", _required()
            elif len(field[name]) > limit:
                yield f"fields.{number}.{name}", too_long(limit)


def _embed_length(embed: Mapping[str, Any]) -> int:
    texts = [embed.get("title"), embed.get("description")]
    texts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    for field in embed.get("fields") or []:
        texts += [field.get("name"), field.get("value")]
    return sum(len(text) for text in texts if isinstance(text, str))


def interactive_components(components: Sequence[Json]) -> Iterator[tuple[str, Json]]:
    """Yield the path and the object of each button and menu, however deep it lies."""
    for number, component in enumerate(components):
        if component.get("type") == _BUTTON or component.get("type") in _MENUS:
            yield str(number), component
        for path, each in interactive_components(component.get("components") or ()):
            yield f"{number}.components.{path}", each
        if isinstance(accessory := component.get("accessory"), dict):
            for path, each in interactive_components([accessory]):
                yield f"{number}.accessory.{path}", each


def check_components(components: object, *, layouts: bool = False) -> tuple[Json, ...]:
    """Return the components of a message.

    Args:
        components: as sent.
        layouts: whether the message says that it uses components instead of content.

    Raises:
        RefusedError: they are too many, too long, alike in custom id or not objects.
    """
    if components is None:
        return ()
    if not isinstance(components, list) or not all(isinstance(each, dict) for each in components):
        raise invalid_form(
            {"components": [("LIST_TYPE_CONVERT", "Only iterables of components may be used.")]}
        )
    faults: Faults = {}
    if not layouts and len(components) > 5:
        faults["components"] = [_wrong_length(1, 5)]
    for number, row in enumerate(components):
        allowed = {_ROW, *_LAYOUT} if layouts else {_ROW}
        if row.get("type") not in allowed:
            faults[f"components.{number}.type"] = [
                ("BASE_TYPE_CHOICES", f"Value must be one of {sorted(allowed)}.")
            ]
        elif row["type"] == _ROW and not 1 <= len(row.get("components") or ()) <= 5:
            faults[f"components.{number}.components"] = [_wrong_length(1, 5)]
    seen: set[str] = set()
    for path, each in interactive_components(components):
        for name, fault in _component_faults(each, seen):
            faults.setdefault(f"components.{path}.{name}", []).append(fault)
    if faults:
        raise invalid_form(faults)
    return tuple(components)


def _component_faults(component: Json, seen: set[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    if component["type"] == _BUTTON:
        if len(component.get("label") or "") > 80:
            yield "label", too_long(80)
        if component.get("style") == _LINK:
            if not component.get("url"):
                yield "url", _required()
            return
        if component.get("style") == _PREMIUM:
            return
        if not component.get("label") and not component.get("emoji"):
            yield (
                "label",
                ("BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A button needs a label or an emoji"),
            )
    elif len(component.get("options") or ()) > 25:
        yield "options", _wrong_length(1, 25)
    elif component["type"] == 3 and not component.get("options"):
        yield "options", _required()
    custom_id = component.get("custom_id")
    if not custom_id:
        yield "custom_id", _required()
    elif len(custom_id) > 100:
        yield "custom_id", too_long(100)
    elif custom_id in seen:
        yield (
            "custom_id",
            ("COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"),
        )
    else:
        seen.add(custom_id)


def check_attachments(attachments: Sequence[Attachment], *, voice_message: bool) -> None:
    """Check the files of a message.

    Raises:
        RefusedError: they are too many or too big, or are not what a voice message has.
    """
    if len(attachments) > 10:
        raise invalid_form({"attachments": [_wrong_length(0, 10)]})
    if any(len(each.content) > ATTACHMENT_LIMIT_BYTES for each in attachments) or (
        sum(len(each.content) for each in attachments) > REQUEST_LIMIT_BYTES
    ):
        raise RefusedError(413, 40005, "Request entity too large")
    if not voice_message:
        return
    if len(attachments) != 1:
        raise RefusedError(400, 50160, "Voice messages must have a single audio attachment.")
    if not (attachments[0].content_type or "").startswith("audio/"):
        raise RefusedError(400, 50161, "Voice messages must have supporting metadata.")
    if attachments[0].duration_s is None or not attachments[0].waveform:
        raise RefusedError(400, 50161, "Voice messages must have supporting metadata.")
