"""The conversation of one room, as a state machine: events and a clock in, commands out.

- `machine`: the state machine. `events`, `commands`: all that goes in and comes out.
- `options`: timings and limits. `phrases`: short things that people say, by language.
- `hearing`, `people`: who speaks, and who is there. `meaning`, `addressing`: whether it is for the
  bot. `interruption`: what voices do to an answer.
- `floor`, `reply`, `playback`, `timeline`: one answer at a time, how much of it was heard, and
  where the time went. `history`: what the language model is told. `condition`: how the backends
  fare.
"""

from __future__ import annotations

from voicemesh_bot.conversation.machine import Conversation
from voicemesh_bot.conversation.options import ConversationOptions

__all__ = ("Conversation", "ConversationOptions")
