"""The whole bot with a Discord token: a person writes to it and the real model answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from voicemesh_bot.bot import build as build_bot
from voicemesh_bot.settings import BackendSettings, BotSettings, ConsoleSettings, DiscordSettings
from voicemesh_chassis.testing import running
from voicemesh_trainer.__main__ import build as build_trainer
from voicemesh_trainer.settings import TrainerSettings

pytestmark = pytest.mark.contract


async def test_a_direct_message_is_answered_by_the_model(
    local_discord: Any, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "a.good.token")
    trainer_settings = TrainerSettings(backend="local")
    async with (
        local_discord() as discord,
        running(build_trainer(trainer_settings), trainer_settings) as trainer,
    ):
        settings = BotSettings(
            console=ConsoleSettings(port=0),
            trainer=BackendSettings(target=trainer.target),
            discord=DiscordSettings(
                api_uri=f"http://{discord.address}/api",
                gateway_uri=f"ws://{discord.address}/gateway",
            ),
        )
        async with running(build_bot(settings), settings):
            await asyncio.wait_for(discord.ready.wait(), 20)
            await discord.write("What is the capital of France?")
            async with asyncio.timeout(60):
                while "Paris" not in (await discord.posted.get())["content"]:
                    pass  # the answer is still growing
