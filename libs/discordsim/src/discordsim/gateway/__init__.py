"""The main gateway: what bots are told, and the few things they say there.

* `intents`: pure; which events a bot asked for
* `dispatches`: pure; events as the payloads of one bot
* `sessions`: what a bot was sent, so that it can resume
* `connection`: one websocket with its writer
* `server`: identify, resume, heartbeats, voice states; switches for what goes wrong
"""

from discordsim.gateway.intents import PRIVILEGED_INTENTS, Intent
from discordsim.gateway.server import GatewayServer, VoiceRequest

__all__ = ("PRIVILEGED_INTENTS", "GatewayServer", "Intent", "VoiceRequest")
