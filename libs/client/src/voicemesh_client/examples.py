"""Datasets: what people give the assistant to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - dataclass readers resolve it at run time
from enum import StrEnum

__all__ = (
    "Archive",
    "Dataset",
    "DatasetFormat",
    "DatasetStatistics",
    "Example",
    "ImportOptions",
    "ImportReport",
    "LengthStatistics",
    "Polarity",
    "ReadFile",
    "RejectedRow",
)


class Polarity(StrEnum):
    """Whether examples are to be followed or avoided."""

    POSITIVE = "positive"
    """Answers to be given."""

    NEGATIVE = "negative"
    """Answers to be avoided."""


class DatasetFormat(StrEnum):
    """The format of a file of examples."""

    UNSPECIFIED = "unspecified"
    """For import: found from the file's name and content. Of a file that was read: one that this
    client does not know. For export: JSONL."""

    CSV = "csv"
    """Comma, semicolon or tab separated values with a header."""

    JSON = "json"
    """A JSON array of objects; for import only."""

    JSONL = "jsonl"
    """A JSON object a line."""

    TEXT = "text"
    """Plain text, an example a paragraph; for import only."""

    ZIP = "zip"
    """A zip archive of any of these, in directories or not; for import only."""

    PARQUET = "parquet"
    """Apache Parquet; for export only."""

    OPENAI = "openai"
    """JSONL with the chat messages that fine-tuning by OpenAI takes, positive examples alone; for
    export only."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A named collection of examples."""

    id: str
    """What the calls of `Datasets` take: a ULID."""

    tenant: str
    """The tenant it belongs to."""

    name: str
    """Name for people, unique in the tenant."""

    example_count: int
    """Number of examples."""

    negative_example_count: int
    """Of those, the negative ones."""

    byte_count: int
    """Size of the text in bytes."""

    selected: bool
    """Whether training uses it unless a job names another."""

    archived: bool
    """Whether it is archived: it can be restored but not imported into."""

    content_sha256: str
    """SHA-256 of its examples in lower-case hexadecimal digits."""

    create_time: datetime | None
    """When it was made, in UTC."""

    update_time: datetime | None
    """When it last changed, in UTC."""


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to learn."""

    id: str
    """A ULID; empty in a preview."""

    prompt: str
    """What is asked; empty for plain text."""

    completion: str
    """What is answered, or the plain text."""

    polarity: Polarity | None
    """Follow or avoid; None if the server says neither."""

    system_prompt: str
    """What the assistant was told about itself; empty if nothing."""

    context: str
    """Turns before the prompt, `user: ...` and `assistant: ...` in lines; empty if none."""

    source: str
    """Where it came from: file and line."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file of examples is read."""

    file_name: str = ""
    """The file's name, of which the extension counts; empty takes that of a source that is a path
    or an open file."""

    format: DatasetFormat = DatasetFormat.UNSPECIFIED
    """The file's format."""

    polarity: Polarity = Polarity.POSITIVE
    """Follow or avoid, for rows that do not say it themselves."""

    encoding: str = ""
    """Text encoding, such as `utf-8` or `windows-1252`; empty means it is found out."""

    author_id: str = ""
    """Opaque id of the person who gives it, so that their data can be deleted; at most 64
    characters."""

    request_id: str = ""
    """Names this import, 1 to 64 characters, so that a repeated one counts once; empty makes a new
    name, which repetitions by the client itself keep."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """How a file was read."""

    file_name: str
    """Its name; empty for a file that was not in an archive."""

    format: DatasetFormat
    """Its format."""

    encoding: str
    """Its text encoding, as IANA names it."""

    delimiter: str
    """What parts its columns, if it has columns."""

    row_count: int
    """Rows that were read, good and bad."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that could not be used."""

    file_name: str
    """The file inside an archive; empty otherwise."""

    line: int
    """Line of the file, from 1."""

    reason: str
    """What is wrong with it."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of an upload."""

    dataset: Dataset
    """The dataset afterwards."""

    imported_count: int
    """Examples added; of a preview, those that would be."""

    duplicate_count: int
    """Examples that were there already."""

    rejected_count: int
    """Rows that could not be used."""

    rejected_rows: tuple[RejectedRow, ...]
    """The first 100 of those."""

    files: tuple[ReadFile, ...]
    """What was taken for the format of the file, and of each file of an archive."""

    examples: tuple[Example, ...]
    """The first 20 examples of a preview; else empty."""


@dataclass(frozen=True, slots=True)
class LengthStatistics:
    """Lengths of texts, in characters."""

    minimum: int
    """Smallest."""

    median: int
    """Middle one."""

    percentile_95: int
    """95 of 100 are not above it."""

    maximum: int
    """Largest."""

    mean: float
    """Mean."""


@dataclass(frozen=True, slots=True)
class DatasetStatistics:
    """What is in a dataset."""

    dataset: Dataset
    """The dataset."""

    prompt_characters: LengthStatistics
    """Prompts, of the examples that have one."""

    completion_characters: LengthStatistics
    """Completions."""

    text_example_count: int
    """Examples without a prompt: plain text."""

    ambiguous_prompt_count: int
    """Prompts that have several different completions."""

    preference_pair_count: int
    """Prompts that have both a positive and a negative completion, for training by preference."""

    estimated_token_count: int
    """About how many tokens all of it has."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A packed dataset."""

    id: str
    """What the calls of `Datasets` take: a ULID."""

    dataset_id: str
    """The dataset it was packed from."""

    dataset_name: str
    """The dataset's name then."""

    byte_count: int
    """Size in bytes."""

    sha256: str
    """SHA-256 in lower-case hexadecimal digits."""

    example_count: int
    """Examples in it."""

    create_time: datetime | None
    """When it was made, in UTC."""
