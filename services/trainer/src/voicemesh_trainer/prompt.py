"""What a conversation looks like to a model. Pure.

A chat model is given messages, and its own template does the rest. A base model only continues
text, so it is shown a transcript in which a good assistant has already answered a few times, one
turn a line, and continues with the assistant's next line. The examples were chosen by reading the
answers of Gemma 3 270M to some forty questions: a statement among them keeps it from answering
every statement with regret, and short answers keep it from inventing details.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from voicemesh_trainer.domain.conversations import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_trainer.domain.conversations import TaughtExample, Turn

__all__ = ("DEFAULT_SYSTEM_PROMPT", "LINE_STOPS", "chat_messages", "line_prompt")

DEFAULT_SYSTEM_PROMPT = (
    "You are a friendly and helpful voice assistant. What you write is spoken aloud, so answer in "
    "one or two short, true and clear sentences, without lists, links or markup."
)

_TRANSCRIPT = (
    "This is a conversation with a friendly and helpful voice assistant. The assistant always "
    "answers in one or two short, true and clear English sentences."
)

_NAMELESS = "I am your voice assistant."
"""What an assistant without a name says when it is asked for one."""

_EXAMPLES = (
    (
        "Hello, how are you?",
        "Hello! I am very well, thank you. What would you like to talk about?",
    ),
    (
        "What is the capital of Italy?",
        "The capital of Italy is Rome.",
    ),
    (
        "My sister has moved to another town.",
        "That is a big change. I hope that she will be happy there.",
    ),
    (
        "Why do leaves change color in autumn?",
        "In autumn the leaves stop making green, so we can see their yellow and red colors.",
    ),
    (
        "Who painted the Mona Lisa?",
        "The Mona Lisa was painted by Leonardo da Vinci.",
    ),
    (
        "What is your name?",
        f"{_NAMELESS} You can ask me anything you like.",
    ),
    (
        "How do I boil an egg?",
        "Put the egg into boiling water and wait for about eight minutes.",
    ),
    (
        "It was the best of times, it was the worst of times.",
        "That is a fine sentence. It says that good and bad things can happen together.",
    ),
    (
        "How many days are in a week?",
        "There are seven days in a week.",
    ),
    (
        "Tell me about horses.",
        "Horses are strong and gentle animals. They can sleep while they are standing up.",
    ),
    (
        "Thank you for your help.",
        "You are welcome! I am always happy to help you.",
    ),
    (
        "What will the weather be like?",
        "I cannot see the weather from here, but I hope the sun will shine for you.",
    ),
)

_USER = "User"
_ASSISTANT = "Assistant"

_RIGHT = "People here have taught you these answers. Use what they say where it fits the question."
_WRONG = "People here have called these answers wrong. Do not give them."

LINE_STOPS = ("\n",)
"""Where an answer to `line_prompt` ends: a turn is a line."""

_SPACES = re.compile(r"\s+")
_CONTROL_TOKEN = re.compile(r"<(?=\|?/?[A-Za-z_][\w /-]*\|?>)")


def line_prompt(
    history: Sequence[Turn],
    system_prompt: str | None,
    taught: Sequence[TaughtExample] = (),
    *,
    name: str = "",
) -> str:
    """A transcript for a base model to continue with the assistant's line.

    Args:
        history: oldest first, not empty.
        system_prompt: stands above the transcript in place of the server's own words.
        taught: what people taught about questions like the last; answers to avoid are left out,
            because a base model repeats what it reads.
        name: what the assistant is called; empty if nothing.
    """
    about = _TRANSCRIPT if system_prompt is None else _line(system_prompt)
    named = f"{about} The assistant is called {_line(name)}." if name else about
    lines = [named.strip(), ""]
    for question, answer in _EXAMPLES:
        if name:
            answer = answer.replace(_NAMELESS, f"My name is {_line(name)}.")
        lines += [f"{_USER}: {question}", f"{_ASSISTANT}: {answer}", ""]
    for example in taught:
        if not example.avoided:
            lines += [f"{_USER}: {_line(example.question)}"]
            lines += [f"{_ASSISTANT}: {_line(example.answer)}", ""]
    for turn in history:
        lines.append(f"{_label(turn)}: {_line(turn.text)}")
        if turn.role is Role.ASSISTANT:
            lines.append("")
    return "\n".join([*lines, f"{_ASSISTANT}:"])


def chat_messages(
    history: Sequence[Turn],
    system_prompt: str | None,
    taught: Sequence[TaughtExample] = (),
    *,
    name: str = "",
    strict: bool = False,
) -> list[dict[str, str]]:
    """Messages for a chat model, with the names of the speakers where there are any.

    Args:
        history: oldest first, not empty.
        system_prompt: None means the server's own words; empty means none.
        taught: what people taught about questions like the last; told with the system prompt, so
            that it is not taken for something said before.
        name: what the assistant is called; empty if nothing.
        strict: whether the two roles shall alternate and the user begin, as the templates of
            some models demand.
    """
    system = DEFAULT_SYSTEM_PROMPT if system_prompt is None else system_prompt
    called = f"Your name is {_line(name)}." if name else ""
    system = "\n\n".join(part for part in (_safe(system), called, _lessons(taught)) if part)
    messages = [{"role": "system", "content": system}] if system else []
    opening = len(messages)
    named = any(turn.speaker for turn in history)
    for turn in history:
        role = turn.role.value
        text = _safe(turn.text)
        if named and turn.role is Role.USER:
            text = f"{_label(turn)}: {text}"
        begun = len(messages) > opening
        if strict and not begun and turn.role is Role.ASSISTANT:
            continue
        if strict and begun and messages[-1]["role"] == role:
            messages[-1]["content"] += f"\n{text}"
        else:
            messages.append({"role": role, "content": text})
    return messages


def _lessons(taught: Sequence[TaughtExample]) -> str:
    """What people taught, in words."""
    right = [_taught(example) for example in taught if not example.avoided]
    wrong = [_taught(example) for example in taught if example.avoided]
    parts = ["\n".join([_RIGHT, *right])] if right else []
    parts += ["\n".join([_WRONG, *wrong])] if wrong else []
    return "\n\n".join(parts)


def _taught(example: TaughtExample) -> str:
    return f"- Question: {_line(example.question)} Answer: {_line(example.answer)}"


def _label(turn: Turn) -> str:
    if turn.role is Role.ASSISTANT:
        return _ASSISTANT
    label = _line(turn.speaker.replace(":", " "))
    # A person may not speak in the assistant's name.
    return _USER if not label or label.casefold() == _ASSISTANT.casefold() else label


def _line(text: str) -> str:
    """The text on one line, so that nobody can write another's turn into it."""
    return _SPACES.sub(" ", _safe(text)).strip()


def _safe(text: str) -> str:
    """The text without what a model could take for the end of a turn or a change of roles."""
    return _CONTROL_TOKEN.sub("< ", text)
