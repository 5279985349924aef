"""A fake of OpenAI's API: chat completions, files and fine-tuning.

It checks every request against the published schema and the rules of fine-tuning, remembers what
was wrong, and fails where it is told to. A job goes on by one stage each time it is looked at.
Loaded by tests/conftest.py.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from openai.types import file_create_params, file_list_params
from openai.types.chat import completion_create_params
from openai.types.fine_tuning import job_create_params, job_list_events_params, job_list_params
from openai.types.fine_tuning.jobs import checkpoint_list_params
from typing_extensions import get_type_hints

KEY = "sk-secret-key-of-the-test"
NUMBERS = frozenset({"limit"})


@dataclass
class Fault:
    """What goes wrong with a call."""

    status: int = 0
    """Refuses with this status, before anything is done."""
    headers: dict[str, str] = field(default_factory=dict)
    code: str = "x"
    body: bytes | None = None
    """Answers 200 with this, before anything is done."""
    lose_answer: bool = False
    """Does what is asked, and breaks the connection instead of answering."""
    wait_s: float = 0.0
    """Waits before anything is done."""


class FakeOpenAI:
    """The API on a port of this machine, in this process."""

    def __init__(self, check: Any, *, steps: int = 3, slow_s: float = 0.0) -> None:
        self._check = check
        self.steps = steps
        self.slow_s = slow_s
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.uploads: list[str] = []
        self.calls: list[str] = []
        self.chats: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        """What was wrong with requests; every test ends with none."""
        self.faults: dict[str, list[Fault]] = {}
        self.chat_headers: dict[str, str] = {}
        """Sent with every streamed answer."""
        self.failing: str = ""
        """With this message, jobs fail when they would succeed."""
        self.held = False
        """Jobs stop before they succeed."""
        self._numbers = itertools.count(1)
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        application = web.Application(client_max_size=2**30, middlewares=[self._guard])
        routes = {
            ("POST", "/v1/chat/completions"): self._chat,
            ("POST", "/v1/files"): self._upload,
            ("GET", "/v1/files"): self._list_files,
            ("DELETE", "/v1/files/{id}"): self._delete_file,
            ("POST", "/v1/fine_tuning/jobs"): self._create_job,
            ("GET", "/v1/fine_tuning/jobs"): self._list_jobs,
            ("GET", "/v1/fine_tuning/jobs/{id}"): self._job,
            ("POST", "/v1/fine_tuning/jobs/{id}/cancel"): self._cancel_job,
            ("GET", "/v1/fine_tuning/jobs/{id}/events"): self._list_events,
            ("GET", "/v1/fine_tuning/jobs/{id}/checkpoints"): self._list_checkpoints,
        }
        for (method, path), handler in routes.items():
            application.router.add_route(method, path, handler)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def fail(self, call: str, *faults: Fault) -> None:
        """Lets the next calls such as "POST files" go wrong, one after the other."""
        self.faults.setdefault(call, []).extend(faults)

    @property
    def unfinished(self) -> list[str]:
        return [id for id, job in self.jobs.items() if job["status"] not in ENDED]

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        parts = request.path.removeprefix("/v1/").split("/")
        call = f"{request.method} {parts[-1] if parts[-1] in NAMES else parts[-2]}"
        self.calls.append(call)
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return refusal(401, "invalid_api_key")
        await asyncio.sleep(self.slow_s)
        waiting = self.faults.get(call)
        fault = waiting.pop(0) if waiting else Fault()
        await asyncio.sleep(fault.wait_s)
        if fault.status:
            return refusal(fault.status, fault.code, fault.headers)
        if fault.body is not None:
            return web.Response(body=fault.body, content_type="application/json")
        try:
            response: web.StreamResponse = await handler(request)
        except KeyError:
            return refusal(404, "not_found")
        except ConnectionResetError:  # the caller was killed while it asked
            return refusal(400, "cut_off")
        except ValueError as error:
            self.wrong.append(f"{call}: {error}")
            return refusal(400, "invalid_request_error")
        if fault.lose_answer and request.transport is not None:
            request.transport.abort()
        return response

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.chats.append(body)
        streaming = body.get("stream") is True
        kind = "Streaming" if streaming else "NonStreaming"
        self._check(body, getattr(completion_create_params, f"CompletionCreateParams{kind}"))
        chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
        choices = [
            {
                "index": 0,
                "delta": {"role": "assistant", "content": "Hello."},
                "finish_reason": None,
            },
            {"index": 0, "delta": {}, "finish_reason": "stop"},
        ]
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        if not streaming:
            message = {"role": "assistant", "content": "Hello.", "refusal": None}
            choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
            whole = {**chunk, "object": "chat.completion", "choices": [choice], "usage": usage}
            return web.json_response(whole)
        headers = {"content-type": "text/event-stream", **self.chat_headers}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        events = [{**chunk, "choices": [choice]} for choice in choices]
        for event in (*events, {**chunk, "choices": [], "usage": usage}):
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        fields = {name: value for name, value in form.items() if name != "file"}
        _check_upload(self._check, fields)
        require(isinstance(file, web.FileField), "file is a file")
        assert isinstance(file, web.FileField)
        content = file.file.read()
        require(content, "the file is not empty")
        file_id = f"file-{next(self._numbers)}"
        self.contents[file_id] = content
        self.uploads.append(file_id)
        self.files[file_id] = {
            "id": file_id,
            "object": "file",
            "bytes": len(content),
            "created_at": next(self._numbers),
            "filename": file.filename,
            "purpose": fields["purpose"],
            "status": "processed",
        }
        return web.json_response(self.files[file_id])

    async def _list_files(self, request: web.Request) -> web.Response:
        query = self._query(request, file_list_params.FileListParams)
        found = [
            file
            for file in reversed(self.files.values())
            if query.get("purpose") in (None, file["purpose"])
        ]
        return page(found, query)

    async def _delete_file(self, request: web.Request) -> web.Response:
        file_id = request.match_info["id"]
        del self.files[file_id]
        return web.json_response({"id": file_id, "object": "file", "deleted": True})

    async def _create_job(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._check(body, job_create_params.JobCreateParams)
        require(body["training_file"] in self.files, "the training file is there")
        require(self.files[body["training_file"]]["purpose"] == "fine-tune", "it is for this")
        require(len(body.get("suffix") or "") <= 64, "the suffix has at most 64 characters")
        metadata = body.get("metadata") or {}
        require(len(metadata) <= 16, "there are at most 16 pairs of metadata")
        method = body.get("method", {"type": "supervised"})["type"]
        check_records(self.contents[body["training_file"]], method)
        job_id = f"ftjob-{next(self._numbers)}"
        self.jobs[job_id] = {
            "id": job_id,
            "object": "fine_tuning.job",
            "created_at": next(self._numbers),
            "error": None,
            "fine_tuned_model": None,
            "finished_at": None,
            "hyperparameters": {"n_epochs": "auto"},
            "method": body.get("method"),
            "metadata": metadata,
            "model": body["model"],
            "organization_id": "org-1",
            "result_files": [],
            "seed": body.get("seed") or 42,
            "status": "validating_files",
            "trained_tokens": None,
            "training_file": body["training_file"],
            "validation_file": None,
            "suffix": body.get("suffix"),
        }
        self.events[job_id] = []
        self._tell(job_id, f"Created fine-tuning job: {job_id}")
        return web.json_response(self.jobs[job_id])

    async def _list_jobs(self, request: web.Request) -> web.Response:
        wanted = {
            name[len("metadata[") : -1]: value
            for name, value in request.query.items()
            if name.startswith("metadata[")
        }
        plain = {name for name in request.query if not name.startswith("metadata[")}
        query = self._query(request, job_list_params.JobListParams, plain)
        found = [
            job for job in reversed(self.jobs.values()) if wanted.items() <= job["metadata"].items()
        ]
        return page(found, query)

    async def _job(self, request: web.Request) -> web.Response:
        job = self.jobs[request.match_info["id"]]
        self._go_on(job)
        return web.json_response(job)

    async def _cancel_job(self, request: web.Request) -> web.Response:
        job = self.jobs[request.match_info["id"]]
        if job["status"] in ENDED:
            return refusal(400, "invalid_request_error")
        job["status"] = "cancelled"
        return web.json_response(job)

    async def _list_events(self, request: web.Request) -> web.Response:
        query = self._query(request, job_list_events_params.JobListEventsParams)
        return page(self.events[request.match_info["id"]][::-1], query)

    async def _list_checkpoints(self, request: web.Request) -> web.Response:
        query = self._query(request, checkpoint_list_params.CheckpointListParams)
        job = self.jobs[request.match_info["id"]]
        found = [self._checkpoint(job)] if job["status"] == "succeeded" else []
        return page(found, query)

    def _go_on(self, job: dict[str, Any]) -> None:
        steps = sum(event["type"] == "metrics" for event in self.events[job["id"]])
        if job["status"] == "validating_files":
            job["status"] = "queued"
        elif job["status"] == "queued":
            job["status"] = "running"
            self._tell(job["id"], "Fine-tuning job started")
        elif job["status"] == "running" and steps < self.steps:
            figures = {"step": steps + 1, "total_steps": self.steps, "train_loss": 2 / (steps + 1)}
            self._tell(job["id"], f"Step {steps + 1}/{self.steps}", figures)
        elif job["status"] == "running" and not self.held:
            self._end(job)

    def _end(self, job: dict[str, Any]) -> None:
        if self.failing:
            job["status"] = "failed"
            job["error"] = {"code": "bad", "message": self.failing, "param": None}
            return
        job["status"] = "succeeded"
        job["trained_tokens"] = 1234
        job["finished_at"] = next(self._numbers)
        model = job["model"].removeprefix("ft:").split(":")[0]
        job["fine_tuned_model"] = f"ft:{model}:org:{job['suffix']}:{next(self._numbers)}"
        self._tell(job["id"], "The job has successfully completed")

    def _checkpoint(self, job: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": f"ftckpt-{job['id']}",
            "object": "fine_tuning.job.checkpoint",
            "created_at": 1,
            "fine_tuned_model_checkpoint": f"{job['fine_tuned_model']}:ckpt-step-{self.steps}",
            "fine_tuning_job_id": job["id"],
            "metrics": {"step": float(self.steps), "train_loss": 0.5},
            "step_number": self.steps,
        }

    def _tell(self, job_id: str, message: str, figures: dict[str, float] | None = None) -> None:
        self.events[job_id].append(
            {
                "id": f"ftevent-{next(self._numbers)}",
                "object": "fine_tuning.job.event",
                "created_at": next(self._numbers),
                "level": "info",
                "message": message,
                "data": figures,
                "type": "metrics" if figures else "message",
            }
        )

    def _query(
        self, request: web.Request, wanted: Any, names: set[str] | None = None
    ) -> dict[str, Any]:
        query = {
            name: int(value) if name in NUMBERS else value
            for name, value in request.query.items()
            if names is None or name in names
        }
        self._check(query, wanted)
        return query


ENDED = frozenset({"succeeded", "failed", "cancelled"})
NAMES = frozenset({"completions", "files", "jobs", "cancel", "events", "checkpoints"})


def check_records(content: bytes, method: str) -> None:
    """The rules of training files; see the guides to supervised fine-tuning and DPO."""
    records = [json.loads(line) for line in content.decode("utf-8").splitlines()]
    require(len(records) >= 10, f"10 records are wanted, not {len(records)}")
    for record in records:
        if method == "dpo":
            require(
                set(record) == {"input", "preferred_output", "non_preferred_output"},
                f"{set(record)} are the fields of a preference",
            )
            before = record["input"]["messages"]
            check_messages(before, last="user")
            for name in ("preferred_output", "non_preferred_output"):
                require(len(record[name]) == 1, "there is one answer")
                check_messages(record[name], last="assistant")
            require(
                record["preferred_output"] != record["non_preferred_output"], "the answers differ"
            )
        else:
            require(set(record) == {"messages"}, f"{set(record)} are the fields of an example")
            check_messages(record["messages"], last="assistant")


def check_messages(messages: list[dict[str, str]], last: str) -> None:
    for message in messages:
        require(set(message) == {"role", "content"}, f"{set(message)} are a message's fields")
        require(message["role"] in {"system", "user", "assistant"}, message["role"])
        require(message["content"].strip(), "a message has content")
    require(messages[-1]["role"] == last, f"the last message is by {last}")


def require(holds: object, what: str) -> None:
    if not holds:
        raise ValueError(what)


def refusal(status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
    error = {"message": f"Incorrect API key: {KEY}", "type": "t", "param": None, "code": code}
    return web.json_response({"error": error}, status=status, headers=headers)


def page(found: list[dict[str, Any]], query: dict[str, Any]) -> web.Response:
    ids = [each["id"] for each in found]
    start = ids.index(query["after"]) + 1 if "after" in query else 0
    end = start + query.get("limit", 20)
    shown = found[start:end]
    return web.json_response(
        {
            "object": "list",
            "data": shown,
            "has_more": end < len(found),
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
        }
    )


def _check_upload(check: Any, fields: dict[str, Any]) -> None:
    """Checks the fields of an upload beside its file, which is checked by itself."""
    hints = get_type_hints(file_create_params.FileCreateParams, include_extras=True)
    for name, value in fields.items():
        require(name in hints, f"{name} is no field of an upload")
        check(value, hints[name], name)
    require("purpose" in fields, "an upload has a purpose")
