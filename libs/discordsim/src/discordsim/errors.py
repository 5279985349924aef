"""What goes wrong, for authors of tests and for the bot.

```
DiscordSimError
├── RefusedError           Discord says no: an HTTP status, a code and a sentence
├── NotSeenError           something did not happen in time (a TimeoutError)
├── NoResponseError        a bot did not answer an interaction within three seconds
├── NotOfferedError        a person cannot do that: no such command, button, option or choice
├── BotProcessError        a bot's process ended or did not become ready
├── NotInVoiceError        somebody is not in a voice channel, or not in the one meant
├── UnreadableAudioError   what a person was told to say is no audio
└── MalformedMessageError  a voice client sent what cannot be read
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = (
    "BotProcessError",
    "DiscordSimError",
    "MalformedMessageError",
    "NoResponseError",
    "NotInVoiceError",
    "NotOfferedError",
    "NotSeenError",
    "RefusedError",
    "UnreadableAudioError",
    "invalid_form",
    "missing_access",
    "missing_permissions",
    "unknown",
)


class DiscordSimError(Exception):
    """Anything that the simulator raises."""


class NotSeenError(DiscordSimError, TimeoutError):
    """What was waited for did not happen; the text says what happened instead."""


class NoResponseError(DiscordSimError):
    """No answer to an interaction in time: "The application did not respond"."""


class NotOfferedError(DiscordSimError, LookupError):
    """Discord's own client would not offer that to this person."""


class BotProcessError(DiscordSimError):
    """A bot's process ended by itself or did not become ready; the text has its last output."""


class NotInVoiceError(DiscordSimError):
    """Somebody is not in a voice channel, or not in the one meant."""


class UnreadableAudioError(DiscordSimError):
    """What a person was told to say is no audio, or has nothing in it."""


class MalformedMessageError(DiscordSimError):
    """A voice client sent what cannot be read; the text goes on after "the message"."""


class RefusedError(DiscordSimError):
    """Discord refuses a request. People get it as an exception, bots as an HTTP response."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        fields: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    ) -> None:
        """Refuse with an HTTP status, Discord's own code and its sentence.

        Args:
            status: HTTP status.
            code: Discord's JSON error code; 0 where it has none.
            message: Discord's sentence.
            fields: for an invalid form, by dotted path such as `embeds.0.title`: pairs of error
                code and sentence.
        """
        self.status = status
        self.code = code
        self.message = message
        self.fields = dict(fields or {})
        details = "".join(
            f"; {path}: {sentence}"
            for path, faults in self.fields.items()
            for _, sentence in faults
        )
        super().__init__(f"{status} {code} {message}{details}")

    def body(self) -> dict[str, object]:
        """Return the JSON object that Discord answers with."""
        found: dict[str, object] = {"message": self.message, "code": self.code}
        if self.fields:
            found["errors"] = _tree(self.fields)
        return found


def _tree(fields: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, object]:
    """Nests faults by path, as Discord does."""
    tree: dict[str, object] = {}
    for path, faults in fields.items():
        node = tree
        for part in path.split("."):
            below = node.setdefault(part, {})
            assert isinstance(below, dict)  # noqa: S101 - only this loop makes nodes
            node = below
        node["_errors"] = [{"code": code, "message": sentence} for code, sentence in faults]
    return tree


_UNKNOWN = {
    "Channel": 10003,
    "Guild": 10004,
    "Member": 10007,
    "Message": 10008,
    "Role": 10011,
    "User": 10013,
    "Emoji": 10014,
    "Webhook": 10015,
    "Interaction": 10062,
    "application command": 10063,
    "Voice State": 10065,
}


def unknown(what: str) -> RefusedError:
    """Return the refusal for something that is not there: `Channel`, `Guild`, `Message` ..."""
    return RefusedError(404, _UNKNOWN[what], f"Unknown {what}")


def missing_access() -> RefusedError:
    """Return the refusal for something that the asker cannot see."""
    return RefusedError(403, 50001, "Missing Access")


def missing_permissions() -> RefusedError:
    """Return the refusal for something that the asker may not do."""
    return RefusedError(403, 50013, "Missing Permissions")


def invalid_form(fields: Mapping[str, Sequence[tuple[str, str]]]) -> RefusedError:
    """Return the refusal for a body with faults, by path; see `RefusedError`."""
    return RefusedError(400, 50035, "Invalid Form Body", fields)
