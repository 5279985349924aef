"""`voicemesh replay`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from voicemesh_client.cli.failures import complain, plain_failures, refuse_usage
from voicemesh_client.replay import EventLogError, LoggedTurn, read_turns
from voicemesh_client.replay.bars import picture
from voicemesh_client.replay.chart import draw
from voicemesh_client.replay.percentiles import stages

__all__ = ("replay",)

_FAILED = 1

_Log = Annotated[
    Path,
    typer.Argument(metavar="LOG", help="Event log of the bot.", exists=True, dir_okay=False),
]
_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="Where to draw the turn (PNG).")
]
_Turn = Annotated[
    int,
    typer.Option(
        metavar="N", help="Turn to draw, as numbered by --list; 0 is the last answered.", min=0
    ),
]
_List = Annotated[bool, typer.Option("--list", help="List the turns, and draw nothing.")]


def replay(
    log: _Log,
    output: _Output = Path("turn.png"),
    turn: _Turn = 0,
    list_turns: _List = False,
) -> None:
    """Draw a turn from the bot's event log as a timeline, and print where the time went.

    The bot writes the log if VOICEMESH_BOT_RECORD__EVENT_LOG names a file.
    """
    with plain_failures():
        turns = _read(log)
        if list_turns:
            _print_turns(turns)
        else:
            chosen = _choose(turns, turn)
            try:
                draw(picture(chosen), output)
            except ImportError:
                _fail("drawing needs matplotlib: pip install 'voicemesh-client[charts]'")
            typer.echo(f"{output}: {chosen.name()}")
        _print_stages(turns)


def _read(log: Path) -> list[LoggedTurn]:
    try:
        turns = read_turns(log)
    except EventLogError as error:
        _fail(f"{log}: {error}")
    if not turns:
        _fail(f"{log}: no turn has ended in this log")
    return turns


def _choose(turns: list[LoggedTurn], number: int) -> LoggedTurn:
    if number > len(turns):
        refuse_usage(f"there are {len(turns)} turns; see --list")
    if number:
        return turns[number - 1]
    return next((each for each in reversed(turns) if each.is_answered), turns[-1])


def _print_turns(turns: list[LoggedTurn]) -> None:
    table = Table("turn", "who and what", "voice to voice, ms", box=None, pad_edge=False)
    for number, each in enumerate(turns, start=1):
        milliseconds = each.record.get("first_frame_sent_ms")
        sent = "" if milliseconds is None else f"{milliseconds:.0f}"
        table.add_row(str(number), each.name(), sent)
    Console().print(table)


def _print_stages(turns: list[LoggedTurn]) -> None:
    table = Table("stage", "turns", "p50, ms", "p95, ms", box=None, pad_edge=False)
    for stage in stages(turns):
        figures = (f"{stage.p50_ms:.0f}", f"{stage.p95_ms:.0f}")
        table.add_row(stage.name.replace("_", " "), str(stage.turns), *figures)
    if table.row_count:
        Console().print(table)


def _fail(sentence: str) -> NoReturn:
    complain(sentence)
    raise typer.Exit(_FAILED)
