"""The world as Discord's JSON: ids are strings, times are ISO 8601.

Source: the resource pages of Discord's API reference, version 10.

* `places`: guilds, channels, threads, roles
* `people`: users, members, voice states
* `texts`: messages and their files
* `uses`: interactions and what their ids stand for
"""

from discordsim.wire.people import member_payload, user_payload, voice_state_payload
from discordsim.wire.places import (
    channel_payload,
    guild_payload,
    guild_snapshot,
    role_payload,
    thread_member_payload,
)
from discordsim.wire.texts import attachment_payload, message_payload
from discordsim.wire.uses import interaction_payload, resolved_payload

__all__ = (
    "attachment_payload",
    "channel_payload",
    "guild_payload",
    "guild_snapshot",
    "interaction_payload",
    "member_payload",
    "message_payload",
    "resolved_payload",
    "role_payload",
    "thread_member_payload",
    "user_payload",
    "voice_state_payload",
)
