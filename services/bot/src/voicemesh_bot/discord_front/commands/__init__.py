"""What people can tell the bot to do, as `!name` and as `/name`.

- `presence`: `join`, `leave`, and where the bot goes by itself.
- `speaking`: `say`, `stop`, `listen`.
- `tastes`: `voice`, `language`, `names`, `timing`. `writing`: `captions`, `transcript`.
- `consent`: `consent`, and its buttons.
- `context`: what commands need, and who may use them. `arguments`: what is written after them.
- `refusals`: what is said when something goes wrong.
"""

from __future__ import annotations
