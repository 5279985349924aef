"""Discord's voice servers: gateway version 8 over TLS, audio over UDP, and DAVE.

What the rest of the simulator uses, and nothing else:

```python
certificates = Certificates.generate(directory)               # discordsim.certificates
server = VoiceServer(certificates, faults=VoiceFaults(), record=transcript.write)
await server.start()
server.endpoint                                                # "127.0.0.1:50443"

# A bot's voice state changed: tell the server first, then send VOICE_SERVER_UPDATE with the same.
server.admit(guild_id, channel_id, user_id, session_id, token)
await server.move(guild_id, user_id, channel_id)               # closes with 4014, admission stays
await server.drop(guild_id, user_id, 4022)                     # any close code
server.dismiss(guild_id, user_id)                              # the bot left by itself

# People are in this process. A person is in one call at a time: joining again moves them.
voice = PersonVoice(user_id, name="alice")                     # discordsim.people.voice
await server.join_person(voice, guild_id, channel_id)
await voice.speak(path)
await server.leave_person(voice)

await server.set_dave_version(guild_id, channel_id, 0)         # downgrade, later 1 again
server.corrupt_next_commit(guild_id, channel_id, user_id)      # that client must recover (op 31)
server.faults = VoiceFaults(to_bots=NetworkFaults(loss=0.1))   # from now on
await server.aclose()
```

A region change is another `VoiceServer`: admit the bot there, send VOICE_SERVER_UPDATE with its
endpoint, and `join_person` everybody there.
"""

from discordsim.network import NetworkFaults
from discordsim.voice.faults import PacketFaults, VoiceFaults
from discordsim.voice.opcodes import VoiceCloseCode
from discordsim.voice.server import VoiceServer
from discordsim.voice.settings import VoiceSettings

__all__ = (
    "NetworkFaults",
    "PacketFaults",
    "VoiceCloseCode",
    "VoiceFaults",
    "VoiceServer",
    "VoiceSettings",
)
