"""What people give the assistant to learn from: datasets, their examples, and their archives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicemesh_trainer.domain.lessons import Polarity

__all__ = (
    "Archive",
    "Dataset",
    "DatasetFormat",
    "DatasetLimits",
    "Draft",
    "Example",
    "ImportReport",
    "ImportRequest",
    "LengthStatistics",
    "ReadFile",
    "RejectedRow",
    "SplitRequest",
    "Staged",
    "Statistics",
)


class DatasetFormat(Enum):
    """What a file of examples looks like."""

    CSV = "csv"
    """Values parted by commas, semicolons, tabs or bars, with a header."""
    JSON = "json"
    """An array of objects."""
    JSONL = "jsonl"
    """An object a line."""
    TEXT = "text"
    """Plain text, an example a paragraph."""
    ZIP = "zip"
    """An archive of any of these."""
    PARQUET = "parquet"
    """Apache Parquet; for export only."""
    OPENAI = "openai"
    """Chat messages as fine-tuning by OpenAI takes them; for export only."""


@dataclass(frozen=True)
class DatasetLimits:
    """Bounds of what people may give."""

    upload_bytes: int = 256 << 20
    """Most bytes of an uploaded file."""
    unpacked_bytes: int = 512 << 20
    """Most bytes that a zip archive really unpacks to, all files together."""
    archive_files: int = 1_000
    """Most files and directories in a zip archive."""
    rows: int = 200_000
    """Most rows, good and bad, of one import."""
    row_characters: int = 131_072
    """Most characters of one row as it stands in the file."""
    field_characters: int = 16_000
    """Most characters of a prompt, an answer and so on."""
    datasets: int = 1_000
    """Most datasets of a tenant, archived ones too."""
    examples: int = 1_000_000
    """Most examples of a tenant, in datasets that are not archived."""


@dataclass(frozen=True)
class Draft:
    """An example that is not in a dataset yet."""

    prompt: str
    """What is asked; empty for plain text."""
    completion: str
    """What is answered, or the plain text; never blank."""
    polarity: Polarity
    """Follow or avoid."""
    system_prompt: str = ""
    """What the assistant was told about itself; empty if nothing."""
    context: str = ""
    """Turns before the prompt, "user: …" and "assistant: …" in lines; empty if there were none."""
    author_id: str = ""
    """Opaque id of who gave it; may be empty."""
    source: str = ""
    """Where it came from: file and line."""


@dataclass(frozen=True)
class Staged:
    """An example on its way into a dataset."""

    draft: Draft
    """The example."""
    content_key: str
    """Of all that it says."""
    question_key: str
    """Of its normalised prompt; empty of plain text."""
    byte_count: int
    """Of its texts."""


@dataclass(frozen=True)
class Example:
    """An example of a dataset."""

    example_id: str
    """Names it: a ULID."""
    position: int
    """Its place in the order of import; grows, with gaps."""
    draft: Draft
    """What it says."""


@dataclass(frozen=True)
class Dataset:
    """A named collection of examples."""

    dataset_id: str
    """Names it: a ULID."""
    tenant: str
    """Whose it is."""
    name: str
    """Name for people, unique in the tenant without regard to case."""
    example_count: int
    """Examples in it, or packed away from it."""
    negative_example_count: int
    """Of those, the ones to avoid."""
    byte_count: int
    """Size of the text in bytes of UTF-8."""
    selected: bool
    """Whether training uses it by default."""
    archived: bool
    """Whether its examples are packed away in an archive."""
    content_sha256: str
    """Of its examples in any order, see `datasets.content`; in lower-case hexadecimal digits."""
    create_time: float
    """When it was made, in seconds since 1970."""
    update_time: float
    """When it last changed, in seconds since 1970."""


@dataclass(frozen=True)
class RejectedRow:
    """A row that could not be used."""

    file_name: str
    """The file inside an archive; empty otherwise."""
    line: int
    """Line of the file, from 1."""
    reason: str
    """What is wrong with it."""


@dataclass(frozen=True)
class ReadFile:
    """How a file was read."""

    file_name: str
    """Its name inside an archive; empty otherwise."""
    format: DatasetFormat
    """What it was taken for."""
    encoding: str
    """Its text encoding, as IANA names it."""
    delimiter: str
    """What parts its columns; empty if it has none."""
    row_count: int
    """Rows read, good and bad."""


@dataclass(frozen=True)
class ImportRequest:
    """What an upload is, and where it goes."""

    tenant: str
    """Whose dataset it is for."""
    dataset_id: str
    """The dataset."""
    polarity: Polarity
    """For rows that do not say it themselves."""
    file_name: str = ""
    """The file's name, of which only the extension counts."""
    format: DatasetFormat | None = None
    """Its format; None: found out."""
    encoding: str = ""
    """Its text encoding; empty: found out."""
    author_id: str = ""
    """Opaque id of who gives it; may be empty."""
    request_id: str = ""
    """Names the request, so that a repeated one is imported once; may be empty."""
    preview: bool = False
    """Whether nothing is to be added."""


@dataclass(frozen=True)
class ImportReport:
    """What became of an upload."""

    dataset: Dataset
    """The dataset afterwards."""
    imported_count: int
    """Examples added; of a preview, those that would be."""
    duplicate_count: int
    """Examples that were there already, in the file or in the dataset."""
    rejected_count: int
    """Rows that could not be used."""
    rejected_rows: tuple[RejectedRow, ...] = ()
    """The first of those."""
    files: tuple[ReadFile, ...] = ()
    """How each file was read."""
    preview: tuple[Example, ...] = ()
    """The first examples, if it was a preview."""


@dataclass(frozen=True)
class LengthStatistics:
    """Lengths in characters; all 0 if there is nothing to measure."""

    minimum: int = 0
    """Smallest."""
    median: int = 0
    """Middle one; of two, the smaller."""
    percentile_95: int = 0
    """95 of 100 are not above it."""
    maximum: int = 0
    """Largest."""
    mean: float = 0.0
    """Mean."""


@dataclass(frozen=True)
class Statistics:
    """What is in a dataset."""

    dataset: Dataset
    """The dataset."""
    prompts: LengthStatistics
    """Prompts, of the examples that have one."""
    completions: LengthStatistics
    """Completions."""
    text_example_count: int
    """Examples without a prompt."""
    ambiguous_prompt_count: int
    """Prompts with several different completions."""
    preference_pair_count: int
    """Prompts with both a positive and a negative completion."""
    estimated_token_count: int
    """About how many tokens all of it has."""


@dataclass(frozen=True)
class SplitRequest:
    """How to part a dataset."""

    tenant: str
    """Whose it is."""
    dataset_id: str
    """Which one."""
    first_share: float
    """Share of the first part, above 0 and below 1."""
    first_name: str = ""
    """Name of the first part; empty: made from the dataset's."""
    second_name: str = ""
    """Name of the second part; empty: made from the dataset's."""
    seed: int = 0
    """Makes it reproducible."""


@dataclass(frozen=True)
class Archive:
    """A packed dataset."""

    archive_id: str
    """Names it: a ULID."""
    tenant: str
    """Whose it is."""
    dataset_id: str
    """The dataset it was packed from."""
    dataset_name: str
    """That dataset's name then."""
    file: str
    """Where the file store keeps it."""
    sha256: str
    """Of the file, in lower-case hexadecimal digits."""
    byte_count: int
    """Size of the file."""
    example_count: int
    """Examples in it."""
    create_time: float
    """When it was made, in seconds since 1970."""
