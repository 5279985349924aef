"""What all voice rooms of a login share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voicemesh_bot.conversation.options import ConversationOptions
from voicemesh_bot.discord_front.voice_connection import ConnectionOptions
from voicemesh_bot.voice.ducking import Ducker
from voicemesh_bot.voice.player import PlayerOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    import discord

    from voicemesh_bot.discord_front.rooms.packet_counts import PacketCounts
    from voicemesh_bot.guilds.ports import ConsentStore, GuildStore, PersonStore, TranscriptStore
    from voicemesh_bot.metrics import BotMetrics
    from voicemesh_bot.ports import Backends
    from voicemesh_bot.record.sessions import SessionRecords
    from voicemesh_bot.voice.clips import ClipLibrary
    from voicemesh_bot.watch import BackendWatch

__all__ = ("RoomParts", "RoomStores")


@dataclass(frozen=True, slots=True)
class RoomStores:
    """Where what people decided and said is kept."""

    guilds: GuildStore
    """Settings of guilds."""

    consents: ConsentStore
    """Who agreed to be heard."""

    people: PersonStore
    """How people want to be heard and answered."""

    transcripts: TranscriptStore
    """What was said."""


@dataclass(frozen=True, slots=True)
class RoomParts:
    """What a room is made of, as far as it is not its own; owned by the program."""

    backends: Backends
    """The services; the voice makes Opus packets."""

    watch: BackendWatch
    """Knows which of them can be used."""

    stores: RoomStores
    """The database."""

    clips: ClipLibrary
    """Sentences that are said again and again."""

    metrics: BotMetrics
    """Counts turns and sessions."""

    packet_counts: PacketCounts
    """Counts packets."""

    records: SessionRecords
    """Records turns."""

    make_ducker: Callable[[], Ducker] = lambda: Ducker(None)
    """Makes what makes sound softer; nothing does by default."""

    consent_view: Callable[[], discord.ui.View] | None = None
    """Makes the buttons by which people agree to be heard; goes with the bot's greeting."""

    conversation: ConversationOptions = field(default_factory=ConversationOptions)
    """How the bot takes its turns where a guild has no wishes of its own."""

    connection: ConnectionOptions = field(default_factory=ConnectionOptions)
    """How patient voice connections are."""

    player: PlayerOptions = field(default_factory=PlayerOptions)
    """How answers are played."""

    announces: bool = True
    """Whether the bot says aloud that it has come, and news about the services."""
