"""The local web console: one page to type or talk to the bot, without any account.

- `front`: the HTTP server on its port; `access` decides who may come in.
- `connection`: one tab's WebSocket and its session; documents the protocol.
- `requests`, `replies`: the messages of the page and to the page.
- `static/`: the page itself, plain HTML, CSS and JavaScript modules.
"""

from __future__ import annotations
