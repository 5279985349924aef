"""Translation from and to the contract `voicemesh.stt.v1`; the only modules that know gRPC.

- `servicer`: the rpcs.
- `parsing`: from messages to what is asked for; names the field at fault.
- `incoming`: the messages of a live stream, in their one allowed order.
- `files`: the messages of TranscribeFile, both ways.
- `convert`: from answers to messages.
"""
