"""The state of the simulated Discord and its rules; knows no HTTP and no sockets.

* `directory`: users, guilds, channels, roles, members, and who may do what
* `threads`: threads and who is in them
* `messages`: what is written, with reactions, pins and files
* `content`: pure; what Discord refuses in a message
* `mentions`: pure; who is pinged by a text
* `commands`: application commands as bots register them
* `definitions`: pure; what Discord refuses in a command
* `options`: pure; the options of a command as a person fills them in
* `interactions`: commands and components used by people, and what bots answer
* `callbacks`: pure; what Discord refuses in an answer to an interaction
* `calls`: who is in which voice channel
* `world`: all of it together
"""

from discordsim.world.world import World

__all__ = ("World",)
