"""First tables, as they were then; `schema` has them as they are now."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_TENANT = String(128)
_ULID = String(26)
_SHA256 = String(64)
_AUTHOR = String(64)
_MODEL = String(256)

# SQLite counts rows by itself only for INTEGER keys.
_COUNTER = BigInteger().with_variant(Integer, "sqlite")

tenants = Table(
    "tenants",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("persona_name", String(64), nullable=False, default=""),
    Column("system_prompt", Text, nullable=False, default=""),
    Column("persona_time", Float),
    Column("selected_dataset_id", _ULID),
    Column("active_model", _MODEL),  # None: the server's default
)

forgotten_authors = Table(
    "forgotten_authors",  # so that what they gave does not come back from an archive
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("author_key", _SHA256, primary_key=True),  # of tenant and author
    Column("forget_time", Float, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("method", String(64), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    Column("fingerprint", _SHA256, nullable=False),  # of what was asked, to refuse another use
    Column("result", JSON, nullable=False),
    Column("create_time", Float, nullable=False, index=True),
)

responses = Table(
    "responses",  # what was answered, so that it can be corrected; expires
    metadata,
    Column("response_id", _ULID, primary_key=True),
    Column("tenant", _TENANT, nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("model", _MODEL, nullable=False),
    Column("create_time", Float, nullable=False, index=True),
)

lessons = Table(
    "lessons",  # corrections, and answers that feedback called good or bad
    metadata,
    Column("lesson_id", _ULID, primary_key=True),
    Column("tenant", _TENANT, nullable=False),
    Column("kind", String(16), nullable=False),  # correction | feedback
    Column("polarity", String(8), nullable=False),  # positive | negative
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("rejected_answer", Text, nullable=False, default=""),  # what a correction corrects
    Column("question_key", _SHA256, nullable=False),  # of the normalised question
    Column("response_id", _ULID),
    Column("author_id", _AUTHOR, nullable=False, default=""),
    Column("create_time", Float, nullable=False),
    Index(None, "tenant", "question_key"),
    Index(None, "tenant", "author_id"),
    Index(None, "tenant", "lesson_id"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("feedback_id", _ULID, primary_key=True),
    Column("tenant", _TENANT, nullable=False),
    Column("response_id", _ULID),
    Column("rating", String(8), nullable=False, default=""),  # positive | negative | ""
    Column("comment", Text, nullable=False, default=""),
    Column("author_id", _AUTHOR, nullable=False, default=""),
    Column("create_time", Float, nullable=False),
    Index(None, "tenant", "author_id"),
)

memory_changes = Table(
    "memory_changes",  # tells every replica's index what is new or gone
    metadata,
    Column("change", _COUNTER, primary_key=True, autoincrement=True),
    Column("tenant", _TENANT, nullable=False),
    Column("subject", String(8), nullable=False),  # lesson | example | dataset
    Column("subject_id", _ULID, nullable=False),
    Column("removed", Boolean, nullable=False, default=False),
    Index(None, "tenant", "change"),
    sqlite_autoincrement=True,  # a number is never given twice
)

embeddings = Table(
    "embeddings",  # of questions; worked out once, whichever replica did it
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("model", _MODEL, primary_key=True),
    Column("question_key", _SHA256, primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # little-endian float16
)

datasets = Table(
    "datasets",
    metadata,
    Column("dataset_id", _ULID, primary_key=True),
    Column("tenant", _TENANT, nullable=False),
    Column("name", String(100), nullable=False),
    Column("example_count", BigInteger, nullable=False, default=0),
    Column("negative_example_count", BigInteger, nullable=False, default=0),
    Column("byte_count", BigInteger, nullable=False, default=0),
    Column("content_sha256", _SHA256, nullable=False),
    Column("archived", Boolean, nullable=False, default=False),
    Column("create_time", Float, nullable=False),
    Column("update_time", Float, nullable=False),
    Index(None, "tenant", "dataset_id"),
)

dataset_names = Table(
    "dataset_names",  # names in use, without regard to case
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("name_key", String(400), primary_key=True),
    Column(
        "dataset_id",
        _ULID,
        ForeignKey("datasets.dataset_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
)

examples = Table(
    "examples",
    metadata,
    Column("example_id", _ULID, primary_key=True),
    Column("tenant", _TENANT, nullable=False),
    Column(
        "dataset_id", _ULID, ForeignKey("datasets.dataset_id", ondelete="CASCADE"), nullable=False
    ),
    Column("position", BigInteger, nullable=False),  # order of import
    Column("system_prompt", Text, nullable=False, default=""),
    Column("context", Text, nullable=False, default=""),  # turns before the prompt
    Column("prompt", Text, nullable=False, default=""),
    Column("completion", Text, nullable=False),
    Column("polarity", String(8), nullable=False),
    Column("author_id", _AUTHOR, nullable=False, default=""),
    Column("source", Text, nullable=False, default=""),  # file and line
    Column("content_key", _SHA256, nullable=False),
    Column("question_key", _SHA256, nullable=False, default=""),  # "" of plain text
    Column("create_time", Float, nullable=False),
    UniqueConstraint("dataset_id", "content_key"),
    UniqueConstraint("dataset_id", "position"),
    Index(None, "tenant", "question_key"),
    Index(None, "tenant", "author_id"),
)

archives = Table(
    "archives",
    metadata,
    Column("archive_id", _ULID, primary_key=True),
    Column("tenant", _TENANT, nullable=False),
    Column("dataset_id", _ULID, nullable=False),
    Column("dataset_name", String(100), nullable=False),
    Column("file", Text, nullable=False),
    Column("sha256", _SHA256, nullable=False),
    Column("byte_count", BigInteger, nullable=False),
    Column("example_count", BigInteger, nullable=False),
    Column("create_time", Float, nullable=False),
    Index(None, "tenant", "archive_id"),
)

training_jobs = Table(
    "training_jobs",
    metadata,
    Column("job_id", _ULID, primary_key=True),
    Column("tenant", _TENANT, nullable=False),
    Column("description", Text, nullable=False, default=""),
    Column("dataset_id", _ULID, nullable=False),
    Column("backend", String(16), nullable=False),  # local | openai
    Column("base_model", _MODEL, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("progress", JSON, nullable=False),
    Column("run", JSON, nullable=False),
    Column("error", JSON),
    Column("result_model", _MODEL),
    Column("curve_file", Text),
    Column("attempts", Integer, nullable=False, default=0),
    Column("worker_id", _ULID),  # who has it
    Column("lease_until", Float),  # and until when, unless it says that it goes on
    Column("version", BigInteger, nullable=False, default=0),  # grows with every change
    Column("create_time", Float, nullable=False),
    Column("start_time", Float),
    Column("end_time", Float),
    Index(None, "tenant", "job_id"),
    Index(None, "state", "lease_until"),
)

training_log_lines = Table(
    "training_log_lines",
    metadata,
    Column("line", _COUNTER, primary_key=True, autoincrement=True),
    Column("tenant", _TENANT, nullable=False),
    Column("job_id", _ULID, nullable=False),
    Column("log_time", Float, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "job_id", "line"),
    sqlite_autoincrement=True,
)

workers = Table(
    "workers",
    metadata,
    Column("worker_id", _ULID, primary_key=True),
    Column("backends", JSON, nullable=False),
    Column("seen_time", Float, nullable=False),
)

models = Table(
    "models",  # those that tenants trained; the server's own are in its settings
    metadata,
    Column("tenant", _TENANT, primary_key=True),
    Column("name", _MODEL, primary_key=True),
    Column("backend", String(16), nullable=False),
    Column("base_model", _MODEL, nullable=False),
    Column("job_id", _ULID, nullable=False, unique=True),
    Column("state", String(16), nullable=False),  # candidate | active | archived
    Column("adapter_file", Text),  # of local ones
    Column("adapter_sha256", _SHA256),
    Column("provider_model", _MODEL),  # of the provider's
    Column("license", String(128), nullable=False, default=""),
    Column("create_time", Float, nullable=False),
)

model_changes = Table(
    "model_changes",
    metadata,
    Column("change", _COUNTER, primary_key=True, autoincrement=True),
    Column("tenant", _TENANT, nullable=False),
    Column("action", String(16), nullable=False),
    Column("model", _MODEL, nullable=False),
    Column("previous_model", _MODEL),
    Column("forced", Boolean, nullable=False, default=False),
    Column("author_id", _AUTHOR, nullable=False, default=""),
    Column("change_time", Float, nullable=False),
    Index(None, "tenant", "change"),
    sqlite_autoincrement=True,
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("evaluation_id", _ULID, primary_key=True),
    Column("tenant", _TENANT, nullable=False),
    Column("model", _MODEL, nullable=False),
    Column("cases_sha256", _SHA256, nullable=False),
    Column("scores", JSON, nullable=False),
    Column("evaluate_time", Float, nullable=False),
    Index(None, "tenant", "model", "evaluate_time"),
)


def upgrade() -> None:
    """Makes the tables."""
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Drops the tables."""
    metadata.drop_all(op.get_bind())
