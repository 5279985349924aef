"""Settings of datasets: how much people may give."""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

from pydantic import BaseModel, ConfigDict, Field

__all__ = ("DatasetSettings",)


class DatasetSettings(BaseModel):
    """What people give the assistant to learn from."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    upload_bytes: int = Field(default=256 << 20, ge=1024, le=4 << 30)
    """Most bytes of an uploaded file. It is kept on a disk while it is read."""

    unpacked_bytes: int = Field(default=512 << 20, ge=1024, le=16 << 30)
    """Most bytes that a zip archive unpacks to, and that the examples of one upload have."""

    archive_files: int = Field(default=1_000, ge=1, le=100_000)
    """Most files and directories in a zip archive."""

    rows: int = Field(default=200_000, ge=1, le=10_000_000)
    """Most rows, good and bad, of one import. While they are added nothing else is written to an
    SQLite database."""

    row_characters: int = Field(default=131_072, ge=256, le=131_072)
    """Most characters of one row as it stands in the file."""

    field_characters: int = Field(default=16_000, ge=16, le=100_000)
    """Most characters of a question, an answer, and so on."""

    datasets: int = Field(default=1_000, ge=1, le=100_000)
    """Most datasets of a tenant, archived ones too."""

    examples: int = Field(default=1_000_000, ge=1, le=100_000_000)
    """Most examples of a tenant, in datasets that are not archived."""

    uploads: int = Field(default=4, ge=1, le=64)
    """Most uploads at once; each may keep a thread busy. Further ones are refused."""

    silence_s: float = Field(default=60.0, gt=0, le=3600)
    """Longest wait for the next part of an upload, in seconds."""

    total_s: float = Field(default=1800.0, gt=0, le=86_400)
    """Longest time for an upload to come and be read, in seconds."""
