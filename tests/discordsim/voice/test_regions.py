"""People and bots on their way into calls."""

from __future__ import annotations

import pytest

from discordsim import Simulator
from discordsim.voice.server import VoiceServer

pytestmark = pytest.mark.integration


async def test_a_fault_in_the_simulation_is_told_to_who_waits_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def breaks(*_: object) -> None:
        msg = "a fault of ours"
        raise ValueError(msg)

    async with Simulator() as sim:
        guild = sim.add_guild("Workshop")
        bench = sim.add_voice_channel(guild, "Bench")
        ann, ben = sim.add_person("Ann", guild), sim.add_person("Ben", guild)
        with monkeypatch.context() as patch:
            patch.setattr(VoiceServer, "join_person", breaks)
            with pytest.raises(ValueError, match="a fault of ours"):
                await ann.join(bench)

        await ben.join(bench)

        call = sim.voice.server_of(guild.id).call(guild.id, bench.id)
        assert call.user_ids == (ben.id,)
