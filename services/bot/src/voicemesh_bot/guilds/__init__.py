"""What a guild and its people decided about voice, and what is kept of what they said.

Plain values that refuse what cannot be: a wrong one raises `InvalidArgumentError`, which names the
field in a sentence for people.

- `voice`: a guild's settings. `people`: consents, and what one person wants.
- `presence`: in which voice channel the bot is to be, by a guild's settings.
- `transcripts`: lines of a transcript. `bounds`: the checks that these share.
- `ports`: where all of it is kept.
"""

from voicemesh_bot.guilds.people import Consent, Forgotten, PersonVoice
from voicemesh_bot.guilds.transcripts import TranscriptLine, TranscriptSession
from voicemesh_bot.guilds.voice import GuildVoice

__all__ = (
    "Consent",
    "Forgotten",
    "GuildVoice",
    "PersonVoice",
    "TranscriptLine",
    "TranscriptSession",
)
