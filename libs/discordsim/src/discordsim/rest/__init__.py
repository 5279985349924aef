"""Discord's REST API, version 10, as far as bots use it in text and voice.

* `server`: the routes behind one middleware: switches, login, errors
* `faults`: switches for what goes wrong: slow, limited, failing
* `call`: one request with whoever sends it
* `bodies`: JSON and files out of a request
* `drafts`: messages out of bodies
* `login`, `guilds`, `members`, `channels`, `threads`, `messages`, `reactions`, `commands`,
  `callbacks`, `webhooks`, `files`: the routes, by noun
"""

from discordsim.rest.faults import RestFaults
from discordsim.rest.server import RestServer

__all__ = ("RestFaults", "RestServer")
