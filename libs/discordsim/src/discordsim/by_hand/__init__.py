"""A simulated Discord to try a bot by hand, from a terminal.

* `world_file`: who and what there is, from TOML
* `lines`: pure; what is typed at the prompt
* `session`: does it
"""

from discordsim.by_hand.session import Session
from discordsim.by_hand.world_file import WorldFile, WorldFileError

__all__ = ("Session", "WorldFile", "WorldFileError")
