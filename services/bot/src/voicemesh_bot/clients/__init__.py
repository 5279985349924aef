"""The bot's ports over gRPC, by the SDK.

- `stt`, `tts`, `trainer`: one adapter each, from the SDK's types to the bot's.
- `readiness`: asks the services' standard health.
- `connections`: opens and closes all of them.
"""

from __future__ import annotations
