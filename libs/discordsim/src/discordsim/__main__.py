"""`discordsim`: a Discord on this machine, to try a bot by hand."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from discordsim.by_hand.lines import HELP
from discordsim.by_hand.session import Session
from discordsim.by_hand.world_file import DEFAULT_WORLD, WorldFile, WorldFileError
from discordsim.errors import BotProcessError
from discordsim.simulator import Simulator
from discordsim.transcript import Line, Transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("main",)

_QUIT = frozenset({"quit", "exit"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="discordsim",
        description=__doc__,
        epilog="At the prompt:\n" + HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "world", nargs="?", type=Path, help="TOML file with guilds, channels and people"
    )
    parser.add_argument(
        "--prefix",
        default="DISCORD_",
        help="what the bot's variables API_URI and GATEWAY_URI begin with (default: %(default)s)",
    )
    parser.add_argument(
        "--bot", metavar="COMMAND", help="start this bot too, such as 'python bot.py'"
    )
    options = parser.parse_args(arguments)
    try:
        world = DEFAULT_WORLD if options.world is None else WorldFile.read(options.world)
        asyncio.run(_run(world, options.prefix, shlex.split(options.bot or "")))
    except (WorldFileError, BotProcessError) as error:
        print(f"discordsim: {error}", file=sys.stderr)  # noqa: T201 - a command line
        return 1
    except KeyboardInterrupt:
        pass
    return 0


async def _run(world: WorldFile, prefix: str, command: Sequence[str]) -> None:
    transcript = Transcript(echo=_show_line)
    async with contextlib.AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(
            Simulator(bot_name=world.bot, transcript=transcript)
        )
        session = Session(simulator, world, _show)
        if command:
            await stack.enter_async_context(simulator.start_bot(*command, prefix=prefix))
        else:
            for name, value in simulator.environment(prefix=prefix).items():
                _show(f"export {name}={shlex.quote(value)}")
        lines = _typed_lines()
        while (line := await lines.get()) is not None and line.strip() not in _QUIT:
            await session.obey(line)


def _typed_lines() -> asyncio.Queue[str | None]:
    """Lines of the standard input, then None; a signal to end counts as None too."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    with contextlib.suppress(NotImplementedError):  # Windows has no signals for loops
        loop.add_signal_handler(signal.SIGTERM, lines.put_nowait, None)

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended first
            for line in sys.stdin:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, None)

    # A daemon, because nothing can end a thread that waits for somebody to type.
    threading.Thread(target=read, name="discordsim prompt", daemon=True).start()
    return lines


def _show(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command line


def _show_line(line: Line) -> None:
    _show(f"{line.offset_s:9.3f}  {line.text}")


if __name__ == "__main__":
    sys.exit(main())
