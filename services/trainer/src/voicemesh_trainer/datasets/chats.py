"""Conversations, as OpenAI, ShareGPT and others write them down, to examples. Pure.

Every answer of a conversation that follows a question is an example, with the turns before it as
its context: so fine-tuning by OpenAI reads such files too. `weight: 0` excludes an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voicemesh_trainer.domain.lessons import Polarity

__all__ = ("ChatExample", "chat_of", "context_of", "is_chat", "turns_of")

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
}
_MOST_TURNS = 1_000
_PREFIX = re.compile(r"^(user|assistant): ", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class ChatExample:
    """One answer of a conversation."""

    system_prompt: str
    """What the assistant was told about itself."""
    context: str
    """Turns before the question."""
    prompt: str
    """The question."""
    completion: str
    """The answer."""
    polarity: Polarity | None = None
    """Whether it is to be followed; None if the conversation does not say."""


@dataclass(frozen=True)
class _Message:
    role: str
    text: str
    weighs: bool = True


def is_chat(record: Mapping[str, object]) -> bool:
    """Whether a row is a conversation, rather than columns with a text each."""
    lists = ("messages", "conversations", "conversation", "preferred_output", "chosen", "rejected")
    return any(isinstance(record.get(name), list) for name in lists)


def chat_of(record: Mapping[str, object], context_characters: int) -> list[ChatExample]:
    """The examples in a conversation, at least one.

    Args:
        record: the row.
        context_characters: most characters of a context; of longer ones, whole turns at the
            beginning are left out.

    Raises:
        ValueError: if there is none; its message is for people.
    """
    if "preferred_output" in record or "non_preferred_output" in record:
        asked = record.get("input")
        asked = asked.get("messages") if isinstance(asked, Mapping) else asked
        good, bad = record.get("preferred_output"), record.get("non_preferred_output")
        return _preference(asked, good, bad, context_characters)
    if isinstance(record.get("chosen"), list) or isinstance(record.get("rejected"), list):
        asked = record.get("prompt", [])
        asked = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
        return _preference(asked, record.get("chosen"), record.get("rejected"), context_characters)
    found = next(
        record[name] for name in ("messages", "conversations", "conversation") if name in record
    )
    outer = record.get("system") or record.get("system_prompt")
    examples = _examples(_messages(found), context_characters)
    if isinstance(outer, str) and outer.strip():
        examples = [
            each
            if each.system_prompt
            else ChatExample(outer, each.context, each.prompt, each.completion)
            for each in examples
        ]
    if not examples:
        msg = "the conversation has no answer to a question"
        raise ValueError(msg)
    return examples


def context_of(turns: Sequence[tuple[str, str]], most: int) -> str:
    """Turns, each a role and a text, in lines; the last ones that fit in `most` characters.

    A line of a text that looks like the beginning of a turn is moved in by a space.
    """
    lines: list[str] = []
    length = 0
    for role, text in reversed(turns):
        line = f"{role}: {_PREFIX.sub(lambda match: ' ' + match.group(), text)}"
        length += len(line) + 1
        if length > most + 1:
            break
        lines.append(line)
    return "\n".join(reversed(lines))


def turns_of(context: str) -> list[tuple[str, str]]:
    """The turns, each a role and a text, of a context; what stands before the first is a user's."""
    turns: list[tuple[str, str]] = []
    starts = [*_PREFIX.finditer(context)]
    before = context[: starts[0].start() if starts else None].strip()
    if before:
        turns.append(("user", before))
    for at, start in enumerate(starts):
        end = starts[at + 1].start() if at + 1 < len(starts) else None
        turns.append((start.group(1).lower(), context[start.end() : end].strip()))
    return [turn for turn in turns if turn[1]]


def _preference(asked: object, good: object, bad: object, most: int) -> list[ChatExample]:
    before = _messages(asked)
    examples: list[ChatExample] = []
    for said, polarity in ((good, Polarity.POSITIVE), (bad, Polarity.NEGATIVE)):
        if said is None:
            continue
        messages = _messages([{"role": "assistant", "content": said}] if _is_text(said) else said)
        # Some files repeat the question in both answers.
        whole = messages if messages[: len(before)] == before and before else [*before, *messages]
        if any(each.role == "user" for each in messages) and not before:
            whole = messages
        answers = _examples(whole, most)
        if not answers:
            msg = f"there is no question and {polarity.value} answer to it"
            raise ValueError(msg)
        last = answers[-1]
        examples.append(
            ChatExample(last.system_prompt, last.context, last.prompt, last.completion, polarity)
        )
    if not examples:
        msg = "the conversation has no answer"
        raise ValueError(msg)
    return examples


def _messages(value: object) -> list[_Message]:
    if not isinstance(value, list):
        msg = "its messages are not a list"
        raise ValueError(msg)
    if len(value) > _MOST_TURNS:
        msg = f"the conversation has {len(value)} turns; at most {_MOST_TURNS} are taken"
        raise ValueError(msg)
    return [_message(each, number) for number, each in enumerate(value, 1)]


def _message(value: object, number: int) -> _Message:
    if not isinstance(value, Mapping):
        msg = f"message {number} is not an object"
        raise ValueError(msg)
    said = value.get("role", value.get("from"))
    role = _ROLES.get(said.strip().casefold()) if isinstance(said, str) else None
    if role is None or value.get("tool_calls") or value.get("function_call"):
        what = "calls of tools" if value.get("tool_calls") else f"the role {str(said)[:40]!r}"
        msg = f"message {number} has {what}, which cannot be learnt here"
        raise ValueError(msg)
    content = value.get("content", value.get("value"))
    return _Message(role, _content(content, number), weighs=value.get("weight") != 0)


def _content(value: object, number: int) -> str:
    """The text of a message, which may come in parts."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    parts = value if isinstance(value, list) else [value]
    texts = []
    for part in parts:
        text = part.get("text") if isinstance(part, Mapping) else None
        if not isinstance(text, str):
            msg = f"message {number} has something that is not text"
            raise ValueError(msg)
        texts.append(text.strip())
    return "\n".join(texts)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _examples(messages: Sequence[_Message], most: int) -> list[ChatExample]:
    system = "\n".join(each.text for each in messages if each.role == "system" and each.text)
    turns: list[tuple[str, str]] = []
    examples: list[ChatExample] = []
    for each in messages:
        if each.role == "system" or not each.text:
            continue
        if each.role == "assistant" and turns and turns[-1][0] == "user" and each.weighs:
            context = context_of(turns[:-1], most)
            examples.append(ChatExample(system, context, turns[-1][1], each.text))
        if turns and turns[-1][0] == each.role:
            turns[-1] = (each.role, f"{turns[-1][1]}\n{each.text}")
        else:
            turns.append((each.role, each.text))
    return examples
