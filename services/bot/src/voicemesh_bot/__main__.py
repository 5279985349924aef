"""Starts the bot: `voicemesh-bot`, or `python -m voicemesh_bot`."""

from __future__ import annotations

from voicemesh_bot.bot import build
from voicemesh_bot.settings import BotSettings
from voicemesh_chassis.app import main as run

__all__ = ("main",)


def main() -> None:
    """Runs until SIGTERM or Ctrl-C; settings come from the environment."""
    run(BotSettings, build)


if __name__ == "__main__":
    main()
