"""What a job trains on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("PreferencePair", "TrainingData", "TrainingExample")


@dataclass(frozen=True)
class TrainingExample:
    """One thing that people gave to be learnt."""

    prompt: str
    """What is asked; empty for plain text."""
    completion: str
    """What is answered, or the plain text; never blank."""
    system_prompt: str = ""
    """What the assistant was told about itself; empty if nothing."""
    context: str = ""
    """Turns before the prompt, "user: …" and "assistant: …" in lines; empty if there were none."""
    positive: bool = True
    """Whether the answer is to be given; else it is to be avoided."""


@dataclass(frozen=True)
class PreferencePair:
    """A good and a bad answer to the same question."""

    prompt: str
    """What is asked; never blank."""
    chosen: str
    """The good answer."""
    rejected: str
    """The bad one; another one."""
    system_prompt: str = ""
    """What the assistant was told about itself; empty if nothing."""
    context: str = ""
    """Turns before the prompt, as in `TrainingExample`."""


@dataclass(frozen=True)
class TrainingData:
    """All that a job trains on, in an order that depends on nothing but its content."""

    examples: tuple[TrainingExample, ...]
    """Positive ones, each once."""
    pairs: tuple[PreferencePair, ...]
    """Each once. The chosen answer of every pair is an example too."""
    avoided_count: int
    """Negative examples without a positive one to the same question; they are not trained on."""
    sha256: str
    """Of the examples and the pairs, in lower-case hexadecimal digits."""
