"""Datasets, training jobs, models and personas on the wire: every value has its place."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import status_pb2

from voicemesh.trainer.v1 import dataset_service_pb2 as datasets_pb
from voicemesh.trainer.v1 import model_service_pb2 as models_pb
from voicemesh.trainer.v1 import trainer_service_pb2 as trainer_pb
from voicemesh.trainer.v1 import training_job_service_pb2 as jobs_pb
from voicemesh_client import (
    Code,
    ComparedScores,
    DatasetFormat,
    EvaluationCase,
    EvaluationOptions,
    EvaluationScores,
    ImportOptions,
    JobError,
    ModelState,
    NewTrainingJob,
    Persona,
    Polarity,
    Prediction,
    TrainingBackend,
    TrainingJob,
    TrainingJobState,
    TrainingLogLine,
    TrainingProgress,
    TrainingSettings,
    Verdict,
)
from voicemesh_client.wire import evaluation, examples, personas, training

pytestmark = pytest.mark.unit

UNKNOWN = 99  # a number that no enumeration of the contract has
AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


def at() -> Timestamp:
    time = Timestamp()
    time.FromDatetime(AT)
    return time


def filled(kind: type[Message]) -> Any:
    """A message in which every plain field has a value of its own."""
    message: Any = kind()
    for number, field in enumerate(message.DESCRIPTOR.fields, 1):
        if field.is_repeated or field.message_type is not None or field.enum_type is not None:
            continue
        value: Any = number
        if field.type == field.TYPE_STRING:
            value = f"text {number}"
        elif field.type == field.TYPE_BOOL:
            value = True
        setattr(message, field.name, value)
    return message


def values_of(thing: Any) -> dict[str, Any]:
    return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}


@pytest.mark.parametrize(
    ("kind", "convert", "renamed", "times"),
    [
        (
            datasets_pb.Dataset,
            examples.dataset_from_wire,
            {"dataset_id": "id"},
            ("create_time", "update_time"),
        ),
        (datasets_pb.Example, examples.example_from_wire, {"example_id": "id"}, ()),
        (datasets_pb.Archive, examples.archive_from_wire, {"archive_id": "id"}, ("create_time",)),
        (trainer_pb.Persona, personas.persona_from_wire, {}, ("update_time",)),
        (trainer_pb.AuthorItem, personas.item_from_wire, {"item_id": "id"}, ("create_time",)),
        (trainer_pb.DeleteAuthorDataResponse, personas.deleted_from_wire, {}, ()),
        (models_pb.Model, evaluation.model_from_wire, {}, ("create_time",)),
        (models_pb.ModelChange, evaluation.change_from_wire, {}, ("change_time",)),
        (
            jobs_pb.TrainingJob,
            training.job_from_wire,
            {"job_id": "id"},
            ("create_time", "start_time", "end_time"),
        ),
    ],
)
def test_every_plain_field_arrives_under_its_name(
    kind: type[Message], convert: Any, renamed: dict[str, str], times: tuple[str, ...]
) -> None:
    message = filled(kind)
    for name in times:
        getattr(message, name).CopyFrom(at())

    values = values_of(convert(message))

    for field in kind.DESCRIPTOR.fields:
        if not field.is_repeated and field.message_type is None and field.enum_type is None:
            assert values[renamed.get(field.name, field.name)] == getattr(message, field.name)
    assert all(values[name] == AT for name in times)
    empty = values_of(convert(kind()))
    assert all(empty[name] is None for name in times)


def test_every_field_of_statistics_and_reports_arrives() -> None:
    lengths = filled(datasets_pb.LengthStatistics)
    message = filled(datasets_pb.GetDatasetStatisticsResponse)
    message.prompt_characters.CopyFrom(lengths)
    message.completion_characters.maximum = 7
    statistics = examples.statistics_from_wire(message)

    assert values_of(statistics.prompt_characters) == {
        "minimum": 1, "median": 2, "percentile_95": 3, "maximum": 4, "mean": 5.0,
    }  # fmt: skip
    assert statistics.completion_characters.maximum == 7
    assert (statistics.text_example_count, statistics.ambiguous_prompt_count) == (4, 5)
    assert (statistics.preference_pair_count, statistics.estimated_token_count) == (6, 7)

    report = examples.report_from_wire(
        datasets_pb.ImportDatasetResponse(
            imported_count=1,
            duplicate_count=2,
            rejected_count=3,
            rejected_rows=[datasets_pb.RejectedRow(file_name="a.csv", line=7, reason="no answer")],
            files=[
                datasets_pb.ReadFile(
                    file_name="a.csv",
                    format=datasets_pb.DATASET_FORMAT_CSV,
                    encoding="utf-8",
                    delimiter=";",
                    row_count=4,
                ),
                datasets_pb.ReadFile(format=UNKNOWN),  # type: ignore[arg-type]
            ],
            preview_examples=[datasets_pb.Example(polarity=datasets_pb.POLARITY_NEGATIVE)],
        )
    )
    assert (report.imported_count, report.duplicate_count, report.rejected_count) == (1, 2, 3)
    assert values_of(report.rejected_rows[0]) == {
        "file_name": "a.csv", "line": 7, "reason": "no answer",
    }  # fmt: skip
    assert values_of(report.files[0]) == {
        "file_name": "a.csv", "format": DatasetFormat.CSV, "encoding": "utf-8",
        "delimiter": ";", "row_count": 4,
    }  # fmt: skip
    assert report.files[1].format is DatasetFormat.UNSPECIFIED
    assert report.examples[0].polarity is Polarity.NEGATIVE


@pytest.mark.parametrize("form", DatasetFormat)
def test_every_format_has_its_number(form: DatasetFormat) -> None:
    number = examples.export_to_wire("t", "d", form).format

    assert datasets_pb.DatasetFormat.Name(number) == f"DATASET_FORMAT_{form.name}"


def test_every_format_and_polarity_of_the_contract_is_known() -> None:
    assert len(DatasetFormat) == len(datasets_pb.DatasetFormat.values())
    assert len(Polarity) == len(datasets_pb.Polarity.values()) - 1


def test_an_import_says_all_of_its_options() -> None:
    options = ImportOptions(
        file_name="a.txt",
        format=DatasetFormat.TEXT,
        polarity=Polarity.NEGATIVE,
        encoding="utf-16",
        author_id="ann",
        request_id="r",
    )

    assert examples.config_to_wire("t", "d", options, preview=True).config == (
        datasets_pb.ImportDatasetConfig(
            tenant="t",
            dataset_id="d",
            file_name="a.txt",
            format=datasets_pb.DATASET_FORMAT_TEXT,
            polarity=datasets_pb.POLARITY_NEGATIVE,
            author_id="ann",
            request_id="r",
            preview=True,
            encoding="utf-16",
        )
    )


@pytest.mark.parametrize("size", [0, 1, (1 << 18) - 1, 1 << 18, (1 << 20) + 1])
def test_pieces_are_cut_to_what_the_contract_takes(size: int) -> None:
    piece = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    contents = [request.content for request in examples.piece_to_wire(piece)]

    assert b"".join(contents) == piece
    assert all(0 < len(content) <= 1 << 20 for content in contents)


@pytest.mark.parametrize("backend", TrainingBackend)
def test_every_backend_survives(backend: TrainingBackend) -> None:
    number = training.new_job_to_wire(NewTrainingJob(backend=backend), "t").backend

    assert training.job_from_wire(jobs_pb.TrainingJob(backend=number)).backend is backend


def test_settings_that_are_not_given_are_not_sent_and_others_survive() -> None:
    assert not training.new_job_to_wire(NewTrainingJob(), "t").settings.ListFields()
    settings = TrainingSettings(1, 0.5, 3, 4, 0, 64, 0, 0.25)
    sent = training.new_job_to_wire(NewTrainingJob(settings=settings), "t").settings

    assert training.job_from_wire(jobs_pb.TrainingJob(settings=sent)).settings == settings
    assert len(sent.ListFields()) == len(jobs_pb.TrainingSettings.DESCRIPTOR.fields)


def test_every_state_of_a_job_is_known() -> None:
    states = {
        training.job_from_wire(jobs_pb.TrainingJob(state=number)).state
        for number in jobs_pb.TrainingJobState.values()
    }

    assert states == set(TrainingJobState)
    unknown: Any = UNKNOWN
    odd = training.job_from_wire(jobs_pb.TrainingJob(state=unknown)).state
    assert odd is TrainingJobState.UNKNOWN
    assert [each for each in TrainingJobState if each.ended] == [
        TrainingJobState.SUCCEEDED, TrainingJobState.FAILED, TrainingJobState.CANCELLED,
    ]  # fmt: skip


def test_a_failed_job_says_why_and_how_it_ran() -> None:
    run = filled(jobs_pb.TrainingRun)
    run.versions["torch"] = "2.9"
    run.metrics["loss"] = 0.5
    run.settings.seed = 7
    job = training.job_from_wire(
        jobs_pb.TrainingJob(error=status_pb2.Status(code=9, message="too few"), run=run)
    )

    assert job.error == JobError(Code.FAILED_PRECONDITION, "too few")
    assert job.run is not None
    assert (job.run.data_sha256, job.run.provider_job_id) == ("text 1", "text 8")
    assert (job.run.versions, job.run.metrics) == ({"torch": "2.9"}, {"loss": 0.5})
    assert job.run.settings == TrainingSettings(seed=7)
    strange = jobs_pb.TrainingJob(error=status_pb2.Status(code=UNKNOWN))
    assert training.job_from_wire(strange).error == JobError(Code.UNKNOWN, "")
    assert training.job_from_wire(jobs_pb.TrainingJob()).run is None


def test_every_event_of_a_job_is_told() -> None:
    progress = jobs_pb.TrainingProgress(step=1, step_count=2, loss=3, learning_rate=4)
    told = training.event_from_wire(jobs_pb.WatchTrainingJobResponse(progress=progress))
    assert told == TrainingProgress(1, 2, 3.0, 4.0, 0.0, None)
    progress.remaining_duration.CopyFrom(Duration(seconds=0))
    told = training.event_from_wire(jobs_pb.WatchTrainingJobResponse(progress=progress))
    assert told == TrainingProgress(1, 2, 3.0, 4.0, 0.0, 0.0)
    line = jobs_pb.TrainingLogLine(log_time=at(), text="saved")
    told = training.event_from_wire(jobs_pb.WatchTrainingJobResponse(log=line))
    assert told == TrainingLogLine(AT, "saved")
    job = jobs_pb.WatchTrainingJobResponse(job=jobs_pb.TrainingJob(job_id="j"))
    assert isinstance(training.event_from_wire(job), TrainingJob)
    assert training.event_from_wire(jobs_pb.WatchTrainingJobResponse()) is None


def test_a_test_of_a_model_says_all_of_its_options() -> None:
    cases = [EvaluationCase("Who leads?", "Ann")]
    options = EvaluationOptions("a", "b", "c", memory_disabled=True)

    assert evaluation.request_to_wire(cases, "t", options) == models_pb.EvaluateModelRequest(
        tenant="t",
        model="a",
        compared_model="b",
        judge_model="c",
        memory_disabled=True,
        cases=[models_pb.EvaluationCase(prompt="Who leads?", expected="Ann")],
    )


def test_every_event_of_a_test_is_told() -> None:
    prediction = filled(models_pb.Prediction)
    prediction.total_duration.CopyFrom(Duration(seconds=2))
    prediction.first_token_duration.CopyFrom(Duration(nanos=500_000_000))
    prediction.verdict = models_pb.VERDICT_WRONG
    told = evaluation.event_from_wire(models_pb.EvaluateModelResponse(prediction=prediction))
    assert isinstance(told, Prediction)
    assert (told.case_index, told.text, told.error, told.model) == (
        1, "text 2", "text 7", "text 8",
    )  # fmt: skip
    assert (told.token_f1, told.chrf, told.first_token_s, told.total_s) == (5.0, 9.0, 0.5, 2.0)
    assert (told.exact_match, told.normalized_match, told.verdict) == (True, True, Verdict.WRONG)

    scores = filled(models_pb.EvaluationScores)
    scores.median_duration.CopyFrom(Duration(seconds=3))
    scores.evaluate_time.CopyFrom(at())
    last = evaluation.event_from_wire(models_pb.EvaluateModelResponse(scores=scores))
    assert last == EvaluationScores("text 8", 1, 2, 3.0, 4.0, 5.0, 6.0, 3.0, 11.0, 12, "text 9", AT)
    compared = models_pb.EvaluateModelResponse(compared_scores=scores)
    assert evaluation.event_from_wire(compared) == ComparedScores(last)
    assert evaluation.event_from_wire(models_pb.EvaluateModelResponse()) is None


def test_every_state_of_a_model_and_verdict_is_known() -> None:
    states = {
        evaluation.model_from_wire(models_pb.Model(state=number)).state
        for number in models_pb.ModelState.values()
    }

    assert states == set(ModelState)
    assert len(Verdict) == len(models_pb.Verdict.values()) - 1
    assert evaluation.model_from_wire(models_pb.Model()).scores is None


def test_a_persona_is_sent_without_its_time() -> None:
    sent = personas.persona_to_wire(Persona("Max", "Be brief.", AT))

    assert sent == trainer_pb.Persona(name="Max", system_prompt="Be brief.")
