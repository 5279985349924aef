"""Everything that the simulated Discord knows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from discordsim.events import Events
from discordsim.snowflakes import Snowflakes
from discordsim.world.calls import Calls
from discordsim.world.commands import Commands
from discordsim.world.directory import Directory
from discordsim.world.interactions import InteractionLimits, Interactions
from discordsim.world.messages import Messages
from discordsim.world.threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("World",)


class World:
    """The parts of the state, which share ids, events and a clock. Not safe for threads."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        limits: InteractionLimits | None = None,
    ) -> None:
        """Start an empty world.

        Args:
            clock: seconds since 1970.
            limits: how long bots have to answer interactions.
        """
        self.clock = clock
        self.cdn_uri = ""
        """Root of the addresses of files; set when a server listens."""
        self.ids = Snowflakes(clock)
        self.events = Events()
        self.directory = Directory(self.ids, self.events, clock)
        self.messages = Messages(self.directory, self.ids, self.events, clock)
        self.threads = Threads(self.directory, self.events)
        self.commands = Commands(self.ids)
        self.interactions = Interactions(
            self.messages, self.ids, self.events, clock, limits or InteractionLimits()
        )
        self.calls = Calls(self.directory, self.events)
