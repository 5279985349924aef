"""Where the bot goes by itself."""

from __future__ import annotations

from collections.abc import Mapping, Set

import pytest

from voicemesh_bot.guilds import GuildVoice, PersonVoice
from voicemesh_bot.guilds.presence import Join, Leave, Move, Presence

pytestmark = pytest.mark.unit

ANN, BEN = 101, 102
LOUNGE, STAGE = 1, 2

QUIET = GuildVoice(9)
JOINS = GuildVoice(9, auto_join_channel_id=LOUNGE)
FOLLOWS = GuildVoice(9, follow_user_id=ANN)
LEAVES = GuildVoice(9, leave_when_empty_s=30.0)

Step = tuple[float, Mapping[int, Set[int]], int | None, Move | None]

SCENARIOS: dict[str, tuple[GuildVoice, list[Step]]] = {
    "does nothing by itself unless it is told to": (
        QUIET,
        [
            (0.0, {LOUNGE: {ANN}}, None, None),
            (1.0, {}, LOUNGE, None),
            (1e6, {}, LOUNGE, None),
        ],
    ),
    "joins its channel when somebody comes": (
        JOINS,
        [
            (0.0, {}, None, None),
            (1.0, {STAGE: {BEN}}, None, None),
            (2.0, {LOUNGE: {ANN}}, None, Join(LOUNGE)),
            (3.0, {LOUNGE: {ANN}}, LOUNGE, None),
        ],
    ),
    "joins a channel that is occupied when it starts": (
        JOINS,
        [(0.0, {LOUNGE: {ANN}}, None, Join(LOUNGE))],
    ),
    "stays away when it was sent away, until the channel has been empty": (
        JOINS,
        [
            (0.0, {LOUNGE: {ANN}}, None, Join(LOUNGE)),
            (1.0, {LOUNGE: {ANN}}, LOUNGE, None),
            (2.0, {LOUNGE: {ANN}}, None, None),
            (3.0, {LOUNGE: {ANN, BEN}}, None, None),
            (4.0, {LOUNGE: set()}, None, None),
            (5.0, {LOUNGE: {BEN}}, None, Join(LOUNGE)),
        ],
    ),
    "does not leave people for its own channel": (
        JOINS,
        [
            (0.0, {STAGE: {BEN}}, STAGE, None),
            (1.0, {STAGE: {BEN}, LOUNGE: {ANN}}, STAGE, None),
            (2.0, {LOUNGE: {ANN}}, None, None),
        ],
    ),
    "follows a person wherever they go": (
        FOLLOWS,
        [
            (0.0, {LOUNGE: {BEN}}, None, None),
            (1.0, {STAGE: {ANN}}, None, Join(STAGE)),
            (2.0, {LOUNGE: {ANN, BEN}}, STAGE, Join(LOUNGE)),
            (3.0, {LOUNGE: {ANN}}, LOUNGE, None),
            (4.0, {}, LOUNGE, None),
            (5.0, {LOUNGE: {ANN}}, LOUNGE, None),
        ],
    ),
    "is not back at once when it was sent from the person whom it follows": (
        FOLLOWS,
        [
            (0.0, {STAGE: {ANN}}, None, Join(STAGE)),
            (1.0, {STAGE: {ANN}}, None, None),
            (2.0, {STAGE: {ANN, BEN}}, LOUNGE, None),
            (3.0, {LOUNGE: {ANN}}, None, Join(LOUNGE)),
        ],
    ),
    "leaves where nobody else is, after a while": (
        LEAVES,
        [
            (0.0, {LOUNGE: {ANN}}, LOUNGE, None),
            (10.0, {}, LOUNGE, None),
            (39.9, {}, LOUNGE, None),
            (40.0, {}, LOUNGE, Leave()),
            (41.0, {}, None, None),
        ],
    ),
    "stays if somebody comes back in time": (
        LEAVES,
        [
            (0.0, {}, LOUNGE, None),
            (29.0, {LOUNGE: {BEN}}, LOUNGE, None),
            (31.0, {LOUNGE: {BEN}}, LOUNGE, None),
            (32.0, {}, LOUNGE, None),
            (61.0, {}, LOUNGE, None),
            (62.0, {}, LOUNGE, Leave()),
        ],
    ),
    "counts anew where it was moved to": (
        LEAVES,
        [
            (0.0, {}, LOUNGE, None),
            (20.0, {}, STAGE, None),
            (40.0, {}, STAGE, None),
            (50.0, {}, STAGE, Leave()),
        ],
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str) -> None:
    guild, steps = SCENARIOS[name]
    presence = Presence()
    for now_s, people, here, expected in steps:
        assert presence.update(guild, people, here, now_s) == expected, now_s


def test_it_says_when_it_wants_to_be_asked_again() -> None:
    presence, sooner = Presence(), GuildVoice(9, leave_when_empty_s=2.0)
    steps: list[tuple[GuildVoice, Mapping[int, Set[int]], float, float | None]] = [
        (LEAVES, {LOUNGE: {ANN}}, 0.0, None),
        (LEAVES, {}, 5.0, 35.0),
        (QUIET, {}, 6.0, None),
        (sooner, {}, 6.5, 7.0),
    ]
    for guild, people, now_s, due_s in steps:
        assert presence.update(guild, people, LOUNGE, now_s) is None
        assert presence.due_s == due_s
    assert presence.update(sooner, {}, LOUNGE, 7.0) == Leave()
    assert presence.due_s is None


def test_settings_that_change_take_effect_at_once() -> None:
    presence = Presence()
    people = {LOUNGE: {ANN}}
    assert presence.update(QUIET, people, None, 0.0) is None
    assert presence.update(JOINS, people, None, 1.0) == Join(LOUNGE)
    assert presence.update(QUIET, people, None, 2.0) is None
    assert presence.update(FOLLOWS, people, None, 3.0) == Join(LOUNGE)


def test_a_persons_own_choice_goes_before_the_guilds() -> None:
    guild = GuildVoice(9, language_code="de", voice="piper:a")

    assert guild.language_for(PersonVoice(9, ANN)) == "de"
    assert guild.voice_for(PersonVoice(9, ANN)) == "piper:a"
    assert guild.language_for(PersonVoice(9, ANN, language_code="ru")) == "ru"
    assert guild.voice_for(PersonVoice(9, ANN, voice="piper:b")) == "piper:b"
