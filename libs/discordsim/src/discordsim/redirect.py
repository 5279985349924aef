"""Run a bot made with discord.py against a simulator, without changing a line of it.

    python -m discordsim.redirect bot.py [ARGUMENTS]
    python -m discordsim.redirect -m package [ARGUMENTS]

Reads `DISCORD_API_URI` and `DISCORD_GATEWAY_URI` (see `Simulator.environment`), points discord.py
at them, and runs the program as Python would. `SSL_CERT_FILE` does the rest for voice.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

__all__ = ("main", "redirect")


def redirect(api_uri: str, gateway_uri: str) -> None:
    """Point discord.py, in this whole process, at another Discord.

    Args:
        api_uri: root of the REST API.
        gateway_uri: address of the main gateway.

    Raises:
        ImportError: discord.py is not installed.
    """
    from discord.gateway import DiscordWebSocket
    from discord.http import Route
    from yarl import URL

    Route.BASE = api_uri
    DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_uri)


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    if not arguments or arguments == ["-m"]:
        raise SystemExit("usage: python -m discordsim.redirect [-m] PROGRAM [ARGUMENTS]")
    try:
        redirect(os.environ["DISCORD_API_URI"], os.environ["DISCORD_GATEWAY_URI"])
    except KeyError as missing:
        raise SystemExit(f"{missing.args[0]} is not set; see Simulator.environment") from missing
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path.insert(0, str(Path(arguments[0]).resolve().parent))
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
