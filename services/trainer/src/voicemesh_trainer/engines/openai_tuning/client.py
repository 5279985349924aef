"""The calls of OpenAI's fine-tuning API that training needs, tried again where that helps.

What comes back is checked before it is used: the library builds its objects without looking.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import openai

from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.engines.openai_errors import PROVIDER_FAILURES, service_error
from voicemesh_trainer.errors import ModelNotFoundError, ProviderUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ("ProviderEvent", "ProviderFile", "ProviderJob", "TuningClient", "TuningOptions")

_logger = get_logger(__name__)

T = TypeVar("T")

_PAGE = 100
_MOST_PAGES = 100
_RETRY_S = 0.5
_STATES = frozenset({"validating_files", "queued", "running", "succeeded", "failed", "cancelled"})
_ENDED = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class TuningOptions:
    """Where the provider is and how it is asked."""

    api_key: str
    """The key; any word for endpoints that want none."""
    base_url: str | None
    """Address of the API, up to `/v1`; None means OpenAI's."""
    connect_timeout_s: float = 5.0
    """Longest wait for a connection, in seconds."""
    read_timeout_s: float = 60.0
    """Longest silence, in seconds."""
    attempts: int = 5
    """Tries for one call."""
    longest_wait_s: float = 60.0
    """Longest wait between two tries, in seconds; a provider that asks for more fails the call."""
    poll_s: float = 2.0
    """Wait between two looks at a job where something happens, in seconds."""
    longest_poll_s: float = 30.0
    """Wait between two looks where nothing happens, in seconds."""


@dataclass(frozen=True)
class ProviderJob:
    """A fine-tuning job as the provider tells of it."""

    id: str
    """Its id there."""
    status: str
    """validating_files, queued, running, succeeded, failed or cancelled."""
    model: str | None
    """The model that it made, if it did."""
    trained_tokens: int | None
    """Tokens that it was billed for, at the end."""
    error: str
    """Why it failed, in the provider's words; empty if it did not."""
    created_at: int
    """When it was made, in seconds since 1970."""

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.status in _ENDED


@dataclass(frozen=True)
class ProviderEvent:
    """Something that happened to a job there."""

    id: str
    """Its id."""
    message: str
    """In the provider's words."""
    metrics: dict[str, float]
    """Figures by name, such as `step` and `train_loss`; empty if there are none."""


@dataclass(frozen=True)
class ProviderFile:
    """A file there."""

    id: str
    """Its id."""
    name: str
    """What it was called when it was uploaded."""


class TuningClient:
    """Asks the provider; any number of calls at once.

    All calls raise what `service_error` says: ProviderUnavailableError and ProviderOverloadedError
    (both may pass), ProviderRefusedError and ModelNotFoundError (they will not).
    """

    def __init__(
        self,
        options: TuningOptions,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.options = options
        self._sleep = sleep
        self._client = openai.AsyncOpenAI(
            api_key=options.api_key,
            base_url=options.base_url,
            max_retries=0,
            timeout=openai.Timeout(options.read_timeout_s, connect=options.connect_timeout_s),
        )
        url = self._client.base_url
        self.host = url.host if url.port is None else f"{url.host}:{url.port}"

    async def aclose(self) -> None:
        """Closes the connections. Safe to call twice."""
        await self._client.close()

    async def upload(self, name: str, content: bytes) -> ProviderFile:
        """Uploads a file of training data, unless one of this name is there already."""

        async def once() -> ProviderFile:
            if (known := await self._file_named(name)) is not None:
                return known
            reply = await self._client.files.create(
                file=(name, content, "application/jsonl"), purpose="fine-tune"
            )
            return _file(reply)

        return await self._tried(once)

    async def files(self, prefix: str) -> list[ProviderFile]:
        """The uploaded files whose name begins so."""

        async def once() -> list[ProviderFile]:
            return [file async for file in self._all_files() if file.name.startswith(prefix)]

        return await self._tried(once)

    async def delete_file(self, file_id: str) -> None:
        """Deletes a file; one that is gone is no error."""
        try:
            await self._tried(lambda: self._client.files.delete(file_id))
        except ModelNotFoundError:  # 404: of the file
            return

    async def create_job(
        self, request: dict[str, Any], metadata: dict[str, str], fence: Callable[[], Awaitable[Any]]
    ) -> ProviderJob:
        """Makes a job, unless one of the same metadata is there already.

        A try whose answer was lost may have made the job: each one looks first.

        Args:
            request: as the API takes it.
            metadata: names the job here; added to the request.
            fence: called right before the job is made; what it raises comes out.
        """

        async def once() -> ProviderJob:
            if known := [job for job in await self._jobs(metadata) if job.status != "cancelled"]:
                return min(known, key=lambda job: (job.created_at, job.id))
            await fence()
            return _job(await self._client.fine_tuning.jobs.create(**request, metadata=metadata))

        return await self._tried(once, model=str(request.get("model", "")))

    async def jobs(self, metadata: dict[str, str]) -> list[ProviderJob]:
        """All jobs with this metadata."""
        return await self._tried(lambda: self._jobs(metadata))

    async def job(self, job_id: str) -> ProviderJob:
        """One job."""

        async def once() -> ProviderJob:
            return _job(await self._client.fine_tuning.jobs.retrieve(job_id))

        return await self._tried(once)

    async def cancel_job(self, job_id: str) -> None:
        """Ends a job that has not ended."""
        await self._tried(lambda: self._client.fine_tuning.jobs.cancel(job_id))

    async def events(self, job_id: str, known: set[str]) -> list[ProviderEvent]:
        """What happened since the events that are known, oldest first."""

        async def once() -> list[ProviderEvent]:
            found: list[ProviderEvent] = []
            pages = self._client.fine_tuning.jobs.list_events(job_id, limit=_PAGE)
            async for each in _bounded(pages):  # newest first
                event = _event(each)
                if event.id in known:
                    break
                found.append(event)
            return found[::-1]

        return await self._tried(once)

    async def checkpoint_steps(self, job_id: str) -> list[int]:
        """The steps at which the provider kept a checkpoint, in order."""

        async def once() -> list[int]:
            pages = self._client.fine_tuning.jobs.checkpoints.list(job_id, limit=_PAGE)
            return sorted([_whole(each, "step_number") async for each in _bounded(pages)])

        return await self._tried(once)

    async def _jobs(self, metadata: dict[str, str]) -> list[ProviderJob]:
        pages = self._client.fine_tuning.jobs.list(limit=_PAGE, metadata=metadata)
        wanted = metadata.items()
        found: list[ProviderJob] = []
        async for each in _bounded(pages):
            job = _job(each)  # also of those that are not meant, as the next page goes by its id
            # Endpoints that do not know the filter return all jobs.
            if wanted <= (getattr(each, "metadata", None) or {}).items():
                found.append(job)
        return found

    async def _file_named(self, name: str) -> ProviderFile | None:
        async for file in self._all_files():
            if file.name == name:
                return file
        return None

    async def _all_files(self) -> AsyncIterator[ProviderFile]:
        pages = self._client.files.list(purpose="fine-tune", limit=_PAGE, order="desc")
        async for each in _bounded(pages):
            yield _file(each)

    async def _tried(self, call: Callable[[], Awaitable[T]], *, model: str = "") -> T:
        """What the call returns; tried again where that may help."""
        for attempt in range(1, self.options.attempts + 1):
            failure: Exception
            try:
                return await call()
            except PROVIDER_FAILURES as provider_failure:
                failure = provider_failure
                error = service_error(failure, model, self.host)
            except ProviderUnavailableError as unreadable:
                failure = error = unreadable
            except (ValueError, TypeError, AttributeError) as malformed:
                # The library stumbles over what is no JSON, or JSON of another shape.
                failure = malformed
                error = _unreadable()
            wait_s = max(error.retry_after_s or 0.0, _RETRY_S * 2 ** (attempt - 1))
            last = attempt == self.options.attempts
            if last or not error.retryable or wait_s > self.options.longest_wait_s:
                # By its kind alone, and not chained: its words may quote the key.
                _logger.warning(
                    "the provider of fine-tuning failed",
                    host=self.host,
                    error=type(failure).__name__,
                    http_status=getattr(failure, "status_code", None),
                    attempts=attempt,
                )
                raise error from None
            await self._sleep(wait_s)
        raise _unreadable()


async def _bounded(pages: Any) -> AsyncIterator[Any]:
    """The entries of all pages, up to a bound: an endpoint may repeat its pages for ever."""
    count = 0
    async for each in pages:
        yield each
        count += 1
        if count >= _PAGE * _MOST_PAGES:
            return


def _job(reply: object) -> ProviderJob:
    status = _text(reply, "status")
    if status not in _STATES:
        raise _unreadable()
    error = getattr(getattr(reply, "error", None), "message", None)
    model = getattr(reply, "fine_tuned_model", None)
    tokens = getattr(reply, "trained_tokens", None)
    if status == "succeeded" and not (isinstance(model, str) and model):
        raise _unreadable()
    return ProviderJob(
        id=_text(reply, "id"),
        status=status,
        model=model if isinstance(model, str) else None,
        trained_tokens=tokens if isinstance(tokens, int) else None,
        error=error if isinstance(error, str) else "",
        created_at=_whole(reply, "created_at"),
    )


def _event(reply: object) -> ProviderEvent:
    data = getattr(reply, "data", None)
    metrics = {
        str(name): float(value)
        for name, value in (data.items() if isinstance(data, dict) else ())
        if isinstance(value, int | float)
    }
    is_metrics = getattr(reply, "type", None) == "metrics"
    return ProviderEvent(_text(reply, "id"), _text(reply, "message"), metrics if is_metrics else {})


def _file(reply: object) -> ProviderFile:
    return ProviderFile(_text(reply, "id"), _text(reply, "filename"))


def _text(reply: object, name: str) -> str:
    value = getattr(reply, name, None)
    if not isinstance(value, str) or not value:
        raise _unreadable()
    return value


def _whole(reply: object, name: str) -> int:
    value = getattr(reply, name, None)
    if not isinstance(value, int):
        raise _unreadable()
    return value


def _unreadable() -> ProviderUnavailableError:
    return ProviderUnavailableError("the model provider's answer cannot be read")
