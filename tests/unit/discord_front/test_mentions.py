"""The model reads names where Discord sends ids."""

from __future__ import annotations

import pytest

from voicemesh_bot.discord_front.mentions import with_names

pytestmark = pytest.mark.unit

NAMES = {("@", 7): "Ann", ("@&", 8): "moderators", ("#", 9): "general", ("@", 1): "<@7>"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("tell <@7> and <@!7>", "tell @Ann and @Ann"),
        ("ask <@&8> in <#9>", "ask @moderators in #general"),
        ("`<@5>` is code", "`<@5>` is code"),
        ("a name is not read again: <@1>", "a name is not read again: @<@7>"),
        ("no mention <@x>", "no mention <@x>"),
    ],
)
def test_mentions_become_names(text: str, read: str) -> None:
    assert with_names(text, lambda kind, wanted: NAMES.get((kind, wanted))) == read
