"""What `voicemesh` does with a trainer: teach, datasets, train, jobs, tuned, persona, forget."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from voicemesh.trainer.v1 import model_service_pb2 as models_pb
from voicemesh.trainer.v1 import training_job_service_pb2 as jobs_pb
from voicemesh_chassis.testing import RunningService

pytestmark = pytest.mark.contract

Command = Callable[..., Awaitable[tuple[int, str, str]]]
ROWS = "prompt,completion\n" + "".join(f"q {n}?,a {n}\n" for n in range(12))


@pytest.fixture
def command(
    voicemesh: Command, trainer: RunningService, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command, which asks a real trainer."""
    monkeypatch.setenv("VOICEMESH_CLIENT_TRAINER_TARGET", trainer.target)
    return voicemesh


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "facts.csv"
    file.write_text(ROWS)
    return file


async def test_what_was_taught_is_answered_and_forgotten(command: Command) -> None:
    taught = await command("teach", "Who leads?", "Ann.", "--author", "bob")
    asked = await command("ask", "who leads")
    listed = await command("forget", "bob", "--list")
    unsure = await command("forget", "bob")
    gone = await command("forget", "bob", "--yes")

    assert (taught[0], taught[2], len(taught[1].strip())) == (0, "", 26)
    assert asked == (0, "Ann.\n", "")
    assert "correction" in listed[1]
    assert unsure[0] == 2
    assert "--yes" in unsure[2]
    assert gone == (0, "deleted: 0 examples, 1 corrections, 0 feedback\n", "")
    blank = await command("teach", "Who leads?", " ")
    assert blank == (2, "", "error: the question or the answer is blank\n")


async def test_what_was_taught_gives_the_terminal_no_orders(
    command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "evil.csv"
    file.write_text("prompt,completion\nred\x1b[31m,title\x1b]0;x\x07\n")
    await command("datasets", "create", "evil")
    await command("datasets", "import", "evil", str(file))
    await command("teach", "Who leads?", "Ann\x1b[31m\x9b1m,\n\tfirst.")
    await command("train", "--dataset", "evil", "--description", "job\x1b[31m", "--detach")

    shown = await command("datasets", "show", "evil")
    asked = await command("ask", "Who leads?")
    jobs = await command("jobs", "list")

    assert "red\\u001b[31m" in shown[1]
    assert "title\\u001b]0;x\\u0007" in shown[1]
    assert asked[1] == "Ann\\u001b[31m\\u009b1m,\n\tfirst.\n"
    assert "job\\u001b[31m" in jobs[1]


@pytest.mark.parametrize("arguments", [("ask", "-"), ("teach", "Who leads?", "-")])
async def test_standard_input_that_is_not_utf_8_is_refused(
    command: Command, arguments: tuple[str, ...]
) -> None:
    refused = await command(*arguments, text=b"caf\xe9")

    assert refused == (1, "", "error: standard input is not UTF-8 text\n")


async def test_a_seed_is_shown_whole(command: Command, table: Path) -> None:
    await command("datasets", "create", "facts")
    await command("datasets", "import", "facts", str(table))
    job = await command("train", "--dataset", "facts", "--seed", str(2**31 - 1), "--detach")

    shown = await command("jobs", "show", job[1].strip())

    assert f"seed {2**31 - 1}" in shown[1]


async def test_a_persona_is_changed_in_part(command: Command, tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Be brief.")

    assert (await command("persona", "set", "--name", "Max"))[0] == 0
    status, output, _ = await command("persona", "set", "--prompt-file", str(prompt))
    assert (status, "Max" in output, "Be brief." in output) == (0, True, True)
    shown = await command("persona", "show")
    assert shown[1] == output
    assert (await command("persona", "set"))[0] == 2


async def test_a_dataset_goes_through_all_commands(
    command: Command, table: Path, tmp_path: Path
) -> None:
    made = await command("datasets", "create", "facts")
    dataset = made[1].strip()
    preview = await command("datasets", "preview", "facts", str(table))
    added = await command("datasets", "import", "facts", str(table))
    again = await command("datasets", "import", dataset, str(tmp_path))
    selected = await command("datasets", "select", "facts")
    shown = await command("datasets", "show", "facts", "--examples", "2")
    target = tmp_path / "out.jsonl"
    exported = await command("datasets", "export", "facts", "-o", str(target))
    split = await command("datasets", "split", "facts", "0.5", "--names", "one", "two")

    assert (preview[0], preview[1].splitlines()[-1]) == (
        0, "12 to be added, 0 there already, 0 rejected",
    )  # fmt: skip
    assert added == (0, "facts: 12 added, 0 there already, 0 rejected\n", "")
    assert again == (0, "facts: 0 added, 12 there already, 0 rejected\n", "")
    assert selected == (0, "facts is selected\n", "")
    assert shown[1].startswith("facts (selected)")
    assert shown[1].count("a 0") == 1
    assert exported[0] == 0
    assert len(target.read_text().splitlines()) == 12
    assert [line.split()[1] for line in split[1].splitlines()] == ["one:", "two:"]
    listed = (await command("datasets", "list"))[1].splitlines()
    assert [line.split()[1] for line in listed[1:]] == ["two", "one", "facts"]


async def test_a_dataset_is_packed_away_and_brought_back(
    command: Command, table: Path, tmp_path: Path
) -> None:
    await command("datasets", "create", "facts")
    await command("datasets", "import", "facts", str(table))

    archive = (await command("datasets", "archive", "facts"))[1].strip()
    refused = await command("datasets", "import", "facts", str(table))
    target = tmp_path / "facts.tar.zst"
    loaded = await command("datasets", "download", archive, "-o", str(target))
    back = await command("datasets", "restore", archive, "--name", "facts again")
    deleted = await command("datasets", "delete", "facts")
    cleared = await command("datasets", "delete-archive", archive)

    assert (refused[0], refused[2].startswith("error: ")) == (1, True)
    assert (loaded[0], target.stat().st_size > 0) == (0, True)
    assert (back[0], len(back[1].strip())) == (0, 26)
    assert deleted == (0, "facts is deleted\n", "")
    assert cleared == (0, f"{archive} is deleted\n", "")
    assert len((await command("datasets", "archives"))[1].splitlines()) == 1


async def test_rows_that_cannot_be_used_are_named(command: Command) -> None:
    await command("datasets", "create", "facts")
    table = "prompt,completion\nWho?,Ann\nWho sings?,\n"

    status, output, errors = await command("datasets", "import", "facts", "-", text=table)

    assert (status, output) == (0, "facts: 1 added, 0 there already, 1 rejected\n")
    assert errors.startswith("line 3: ")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (("datasets", "show", "nowhere"), 1, "there is no dataset 'nowhere'"),
        (("datasets", "import", "facts", "nowhere.csv"), 2, "nowhere.csv does not exist"),
        (("datasets", "import", "facts", "-", "--format", "parquet"), 2, "is for export only"),
        (("datasets", "export", "facts", "-o", "a.doc"), 2, "name a --format"),
        (("datasets", "create", " "), 1, "name"),
        (("jobs", "show", "01J00000000000000000000000"), 1, "job"),
        (("jobs", "watch", "01J00000000000000000000000"), 1, "job"),
        (("train",), 1, "dataset"),
        (("tuned", "promote", "nobody's"), 1, "there is no model"),
        (("tuned", "rollback"), 1, "model"),
        (("tuned", "evaluate", "nowhere.csv"), 2, "nowhere.csv"),
        (("persona", "show", "--tenant", " "), 1, "tenant"),
    ],
)
async def test_what_goes_wrong_is_one_sentence(
    command: Command, arguments: tuple[str, ...], status: int, sentence: str
) -> None:
    outcome = await command(*arguments)

    assert (outcome[0], outcome[1]) == (status, "")
    assert sentence in outcome[2]


async def test_training_is_followed_to_its_model(
    command: Command, table: Path, tmp_path: Path
) -> None:
    await command("datasets", "create", "facts")
    await command("datasets", "import", "facts", str(table))

    status, output, errors = await command(
        "train", "--dataset", "facts", "--epochs", "3", "--seed", "0", "--description", "a try"
    )
    lines = output.splitlines()
    job = lines[0]

    assert (status, errors) == (0, "")
    assert "running" in lines, "it may have been claimed before it was looked at"
    assert lines[-2] == "succeeded"
    assert lines[-1].startswith("model: ")
    shown = await command("jobs", "show", job)
    assert "epoch_count 3" in shown[1]
    assert shown[1].startswith(f"{job} succeeded: a try")
    assert job in (await command("jobs", "list"))[1]
    log = (await command("jobs", "log", job))[1].splitlines()
    assert set(log) <= set(lines)
    picture = tmp_path / "loss.png"
    assert (await command("jobs", "curve", job, "-o", str(picture)))[0] == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert (await command("jobs", "cancel", job))[1] == f"{job} is succeeded\n"
    watched = await command("jobs", "watch", job)
    assert watched[1].splitlines()[-2:] == lines[-2:]
    model = lines[-1].removeprefix("model: ")
    assert model in (await command("tuned", "list"))[1]
    promoted = await command("tuned", "promote", model, "--force", "--author", "ann")
    assert promoted == (0, f"{model} is active\n", "")
    history = (await command("tuned", "history"))[1]
    assert "promoted by force" in history
    assert "ann" in history


async def test_a_job_may_be_left_alone_and_ended(
    command: Command, openai: Any, table: Path
) -> None:
    openai.held = True
    await command("datasets", "create", "facts")
    await command("datasets", "import", "facts", str(table))

    status, output, _ = await command("train", "--dataset", "facts", "--detach")
    job = output.strip()
    ended = await command("jobs", "cancel", job)
    watched = await command("jobs", "watch", job)

    assert (status, len(job)) == (0, 26)
    assert ended[0] == 0
    assert (watched[0], watched[2]) == (1, "error: the job is cancelled\n")
    openai.held = False


async def test_a_job_that_fails_says_why(voicemesh: Command, script: Any) -> None:
    async def watch(_request: Any, _context: Any) -> AsyncIterator[Any]:
        job = jobs_pb.TrainingJob(job_id="j", state=jobs_pb.TRAINING_JOB_STATE_FAILED)
        job.error.message = "too few examples"
        yield jobs_pb.WatchTrainingJobResponse(job=job)

    async def log(_request: Any, _context: Any) -> Any:
        return jobs_pb.ListTrainingLogLinesResponse()

    script.WatchTrainingJob, script.ListTrainingLogLines = watch, log

    watched = await voicemesh("jobs", "watch", "j", "--trainer", script.target)

    assert watched == (1, "failed\n", "error: too few examples\n")


async def test_a_test_prints_scores_and_errors(
    voicemesh: Command, script: Any, tmp_path: Path
) -> None:
    async def evaluate(request: Any, _context: Any) -> AsyncIterator[Any]:
        script.requests.append(request)
        for model in ("a", "b"):
            prediction = models_pb.Prediction(case_index=0, text="Ann", model=model)
            yield models_pb.EvaluateModelResponse(prediction=prediction)
        failed = models_pb.Prediction(case_index=1, model="b", error="the model broke off")
        yield models_pb.EvaluateModelResponse(prediction=failed)
        compared = models_pb.EvaluationScores(model="b", case_count=2, error_count=1)
        yield models_pb.EvaluateModelResponse(compared_scores=compared)
        scores = models_pb.EvaluationScores(model="a", case_count=2, token_f1=0.5)
        yield models_pb.EvaluateModelResponse(scores=scores)

    script.EvaluateModel = evaluate
    cases = tmp_path / "cases.jsonl"
    cases.write_text('{"prompt": "Who?", "expected": "Ann"}\n{"prompt": "a", "expected": "b"}\n')
    run = partial(
        voicemesh, "tuned", "evaluate", str(cases), "--compare", "b", "--judge", "c",
        "--no-memory", "--trainer", script.target,
    )  # fmt: skip

    status, output, errors = await run()
    as_json = json.loads((await run("--json"))[1])

    assert (status, errors) == (0, "case 2, b: the model broke off\n")
    rows = {line[:16].strip(): line[16:].split() for line in output.splitlines()}
    assert rows["SCORE"] == ["a", "b"]
    assert rows["token F1"] == ["0.500", "0.000"]
    assert rows["errors"] == ["0", "1"]
    assert as_json["scores"]["token_f1"] == 0.5
    assert as_json["compared_scores"]["model"] == "b"
    assert [each["text"] for each in as_json["predictions"]] == ["Ann", "Ann", ""]
    request = script.requests[0]
    assert (request.compared_model, request.judge_model, request.memory_disabled) == (
        "b", "c", True,
    )  # fmt: skip
    assert [case.expected for case in request.cases] == ["Ann", "b"]


async def test_a_test_without_an_answer_has_failed(
    voicemesh: Command, script: Any, tmp_path: Path
) -> None:
    async def evaluate(_request: Any, _context: Any) -> AsyncIterator[Any]:
        scores = models_pb.EvaluationScores(model="a", case_count=1, error_count=1)
        yield models_pb.EvaluateModelResponse(scores=scores)

    script.EvaluateModel = evaluate
    cases = tmp_path / "cases.csv"
    cases.write_text("prompt,expected\nWho?,Ann\n")

    tested = await voicemesh("tuned", "evaluate", str(cases), "--trainer", script.target)

    assert (tested[0], tested[2]) == (1, "error: no case was answered\n")
