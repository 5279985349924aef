"""What the trainer needs from an engine, and from who counts what engines do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractContextManager

    from voicemesh_trainer.domain.conversations import (
        Conversation,
        FinishReason,
        ModelEvent,
        ModelInfo,
    )
    from voicemesh_trainer.domain.providers import CircuitState

__all__ = ("AnswerMeter", "AnswerMeters", "LanguageModel", "ModelShelfMeter", "ProviderMeter")


class LanguageModel(Protocol):
    """Something that continues a conversation.

    Any number of replies may run at once in one event loop; an engine that takes fewer refuses
    the others. Who opened a model closes it.
    """

    @property
    def info(self) -> ModelInfo:
        """Name and kind of the model; does not change."""

    async def open(self) -> None:
        """Makes the model ready to answer without further delay; called once, before `reply`.

        Raises:
            StartupError: if it cannot be used; the message says how to mend it.
        """

    def reply(self, conversation: Conversation) -> AsyncGenerator[ModelEvent, None]:
        """Answers the last turn: one `Accepted`, then `Piece`s, then one `Ended`.

        Closing the generator, or cancelling the task that drives it, stops the model at once;
        what the reply held is free again very soon after.

        Raises:
            InvalidArgumentError: if the last turn alone does not fit the model's context.
            OverloadedError: if as many replies as the engine takes are running and waiting.
            UnavailableError: if the model cannot be reached or broke off.
            ServiceError: its other leaves, where an engine says so.
        """

    async def aclose(self) -> None:
        """Stops all replies and frees the model. Safe to call twice, and before `open`."""


class AnswerMeter(Protocol):
    """Measures one answer."""

    def read(self, event: ModelEvent) -> None:
        """Takes what the model does, when it does it."""

    def finish(self, reason: FinishReason) -> None:
        """Takes why the answer is complete, once; a stop sequence ends it before the model does."""


class AnswerMeters(Protocol):
    """Measures answers."""

    def measure(self, info: ModelInfo) -> AbstractContextManager[AnswerMeter]:
        """Measures an answer of a model while it is held.

        What is raised through it says how an answer ended that was not finished: a cancellation,
        or the closing of a generator, by its caller; a `ServiceError` by a failure.
        """


class ProviderMeter(Protocol):
    """Counts what stands between callers and a provider."""

    def circuit(self, state: CircuitState) -> None:
        """What the provider's circuit does with calls now."""

    def fell_back(self, reason: str) -> None:
        """Another model answered, because the provider's failed with `reason` (UPPER_SNAKE)."""


class ModelShelfMeter(Protocol):
    """Counts the models of tenants that are in memory."""

    def model_loaded(self, seconds: float) -> None:
        """One more is in memory; loading it took so long."""

    def model_unloaded(self) -> None:
        """One less is in memory."""

    def load_failed(self) -> None:
        """One could not be loaded."""
