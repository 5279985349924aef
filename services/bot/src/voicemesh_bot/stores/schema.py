"""The tables of the bot's database.

Written for SQLite and PostgreSQL alike. Ids are Discord's, of at most 63 bits; times are seconds
since 1970 (UTC) as floats, so that both give back what was put in. Every row belongs to a guild.
Migrations are in `migrations/`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

__all__ = ("consents", "guild_voices", "metadata", "person_voices", "transcript_lines")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_LANGUAGE = String(35)
_VOICE = String(200)

guild_voices = Table(
    "guild_voices",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("listen", Boolean, nullable=False),
    Column("auto_join_channel_id", BigInteger),
    Column("follow_user_id", BigInteger),
    Column("leave_when_empty_s", Float),
    Column("captions", Boolean, nullable=False),
    Column("captions_channel_id", BigInteger),
    Column("transcript_kept_s", Float, nullable=False),
    Column("names", JSON, nullable=False),  # a list
    Column("language_code", _LANGUAGE, nullable=False),
    Column("voice", _VOICE, nullable=False),
    Column("timings", JSON, nullable=False),  # numbers by name
)

person_voices = Table(
    "person_voices",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("language_code", _LANGUAGE, nullable=False),
    Column("voice", _VOICE, nullable=False),
    Index(None, "user_id"),
)

consents = Table(
    "consents",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("given", Boolean, nullable=False),
    Column("remembered", Boolean, nullable=False),
    Column("change_time", Float, nullable=False),
    Index(None, "user_id"),
)

transcript_lines = Table(
    "transcript_lines",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("session_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("speaker_id", BigInteger),  # None: the bot
    Column("speaker", String(100), nullable=False),
    Column("text", Text, nullable=False),
    Column("start_time", Float, nullable=False),
    Column("end_time", Float, nullable=False),
    Column("expire_time", Float, nullable=False),
    Index(None, "speaker_id"),
    Index(None, "expire_time"),
)
