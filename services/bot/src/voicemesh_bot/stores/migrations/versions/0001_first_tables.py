"""First tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "consents",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("remembered", sa.Boolean(), nullable=False),
        sa.Column("change_time", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", name=op.f("pk_consents")),
    )
    op.create_index("ix_consents_user_id", "consents", ["user_id"])

    op.create_table(
        "guild_voices",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("listen", sa.Boolean(), nullable=False),
        sa.Column("auto_join_channel_id", sa.BigInteger(), nullable=True),
        sa.Column("follow_user_id", sa.BigInteger(), nullable=True),
        sa.Column("leave_when_empty_s", sa.Float(), nullable=True),
        sa.Column("captions", sa.Boolean(), nullable=False),
        sa.Column("captions_channel_id", sa.BigInteger(), nullable=True),
        sa.Column("transcript_kept_s", sa.Float(), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("language_code", sa.String(length=35), nullable=False),
        sa.Column("voice", sa.String(length=200), nullable=False),
        sa.Column("timings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_guild_voices")),
    )
    op.create_table(
        "person_voices",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("language_code", sa.String(length=35), nullable=False),
        sa.Column("voice", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", name=op.f("pk_person_voices")),
    )
    op.create_index("ix_person_voices_user_id", "person_voices", ["user_id"])

    op.create_table(
        "transcript_lines",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("speaker_id", sa.BigInteger(), nullable=True),
        sa.Column("speaker", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("start_time", sa.Float(), nullable=False),
        sa.Column("end_time", sa.Float(), nullable=False),
        sa.Column("expire_time", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint(
            "guild_id", "session_id", "number", name=op.f("pk_transcript_lines")
        ),
    )
    op.create_index("ix_transcript_lines_expire_time", "transcript_lines", ["expire_time"])
    op.create_index("ix_transcript_lines_speaker_id", "transcript_lines", ["speaker_id"])


def downgrade() -> None:
    """Drops the tables."""
    op.drop_index("ix_transcript_lines_speaker_id", "transcript_lines")
    op.drop_index("ix_transcript_lines_expire_time", "transcript_lines")

    op.drop_table("transcript_lines")
    op.drop_index("ix_person_voices_user_id", "person_voices")

    op.drop_table("person_voices")
    op.drop_table("guild_voices")
    op.drop_index("ix_consents_user_id", "consents")

    op.drop_table("consents")
