"""A local Discord to test bots against, offline: REST, gateway, and voice with DAVE.

Start with `Simulator`; the README of the package has examples.

* `simulator`: all of it together, for one test; `places`: what it is filled with
* `people`: simulated people, who write, click, speak and hear
* `world`: the state and its rules; `domain` and `events`: what it is made of
* `rest`, `gateway`: what bots talk to; `wire`: the world as their JSON
* `regions`, `voice`, `dave`: voice servers, their audio and its end-to-end encryption
* `transcript`, `narration`: what happened, to read
* `processes`, `redirect`: a bot as a process of its own
* `pytest_plugin`: the fixture `discord_sim`; `by_hand`: the command `discordsim`
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from discordsim.domain import (
        Attachment,
        BotAccount,
        Channel,
        ChannelKind,
        Command,
        Guild,
        Member,
        Message,
        MessageFlag,
        Overwrite,
        Role,
        User,
    )
    from discordsim.errors import (
        BotProcessError,
        DiscordSimError,
        NoResponseError,
        NotInVoiceError,
        NotOfferedError,
        NotSeenError,
        RefusedError,
        UnreadableAudioError,
    )
    from discordsim.gateway import PRIVILEGED_INTENTS, Intent
    from discordsim.network import NetworkFaults
    from discordsim.people.files import File
    from discordsim.people.person import Person
    from discordsim.people.speech import OpusSettings, Speech
    from discordsim.people.use import Form, Use
    from discordsim.permissions import DEFAULT_PERMISSIONS, Permission
    from discordsim.processes import BotProcess
    from discordsim.simulator import Simulator
    from discordsim.transcript import Transcript
    from discordsim.voice import PacketFaults, VoiceCloseCode, VoiceFaults, VoiceSettings
    from discordsim.world.interactions import InteractionLimits

__all__ = (
    "DEFAULT_PERMISSIONS",
    "PRIVILEGED_INTENTS",
    "Attachment",
    "BotAccount",
    "BotProcess",
    "BotProcessError",
    "Channel",
    "ChannelKind",
    "Command",
    "DiscordSimError",
    "File",
    "Form",
    "Guild",
    "Intent",
    "InteractionLimits",
    "Member",
    "Message",
    "MessageFlag",
    "NetworkFaults",
    "NoResponseError",
    "NotInVoiceError",
    "NotOfferedError",
    "NotSeenError",
    "OpusSettings",
    "Overwrite",
    "PacketFaults",
    "Permission",
    "Person",
    "RefusedError",
    "Role",
    "Simulator",
    "Speech",
    "Transcript",
    "UnreadableAudioError",
    "Use",
    "User",
    "VoiceCloseCode",
    "VoiceFaults",
    "VoiceSettings",
)

_HOMES = {
    "Attachment": "discordsim.domain",
    "BotAccount": "discordsim.domain",
    "BotProcess": "discordsim.processes",
    "BotProcessError": "discordsim.errors",
    "Channel": "discordsim.domain",
    "ChannelKind": "discordsim.domain",
    "Command": "discordsim.domain",
    "DEFAULT_PERMISSIONS": "discordsim.permissions",
    "DiscordSimError": "discordsim.errors",
    "File": "discordsim.people.files",
    "Form": "discordsim.people.use",
    "Guild": "discordsim.domain",
    "Intent": "discordsim.gateway",
    "InteractionLimits": "discordsim.world.interactions",
    "Member": "discordsim.domain",
    "Message": "discordsim.domain",
    "MessageFlag": "discordsim.domain",
    "NetworkFaults": "discordsim.network",
    "NoResponseError": "discordsim.errors",
    "NotInVoiceError": "discordsim.errors",
    "NotOfferedError": "discordsim.errors",
    "NotSeenError": "discordsim.errors",
    "OpusSettings": "discordsim.people.speech",
    "Overwrite": "discordsim.domain",
    "PRIVILEGED_INTENTS": "discordsim.gateway",
    "PacketFaults": "discordsim.voice",
    "Permission": "discordsim.permissions",
    "Person": "discordsim.people.person",
    "RefusedError": "discordsim.errors",
    "Role": "discordsim.domain",
    "Simulator": "discordsim.simulator",
    "Speech": "discordsim.people.speech",
    "Transcript": "discordsim.transcript",
    "UnreadableAudioError": "discordsim.errors",
    "Use": "discordsim.people.use",
    "User": "discordsim.domain",
    "VoiceCloseCode": "discordsim.voice",
    "VoiceFaults": "discordsim.voice",
    "VoiceSettings": "discordsim.voice",
}


def __getattr__(name: str) -> object:
    """Load what is asked for, when it is: pytest imports this package in every session."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
