"""A bot that joins whoever asks, and plays a tone for as long as it is there."""

from __future__ import annotations

import logging
import os
from typing import Any

import av
import discord
import numpy as np
from discord.ext import commands


class Tone(discord.AudioSource):
    """A tone of 440 Hz without end, as Opus packets of 20 ms."""

    def __init__(self) -> None:
        codec: Any = av.AudioCodecContext.create("libopus", "w")
        codec.sample_rate, codec.layout, codec.format = 48_000, "mono", "s16"
        codec.options = {"frame_duration": "20"}
        codec.open()
        times = np.arange(48_000) / 48_000
        samples = (np.sin(2 * np.pi * 440 * times) * 8000).astype(np.int16)
        self._packets: list[bytes] = []
        for start in range(0, len(samples), 960):
            frame = av.AudioFrame.from_ndarray(
                samples[start : start + 960].reshape(1, -1), format="s16", layout="mono"
            )
            frame.sample_rate = 48_000
            self._packets += [bytes(packet) for packet in codec.encode(frame)]
        self._sent = 0

    def read(self) -> bytes:
        self._sent += 1
        return self._packets[self._sent % len(self._packets)]

    def is_opus(self) -> bool:
        return True


bot = commands.Bot("!", intents=discord.Intents.all())


@bot.command()
async def join(context: commands.Context[Any]) -> None:
    author = context.author
    assert isinstance(author, discord.Member)
    assert author.voice is not None
    assert author.voice.channel is not None
    try:
        client: discord.VoiceClient = await author.voice.channel.connect(timeout=3)
    except TimeoutError:
        await context.send("I cannot get in")
        return
    client.play(Tone())
    await context.send("here I am")


@bot.command()
async def follow(context: commands.Context[Any]) -> None:
    author, client = context.author, context.voice_client
    assert isinstance(author, discord.Member)
    assert isinstance(client, discord.VoiceClient)
    assert author.voice is not None
    await client.move_to(author.voice.channel, timeout=10)
    await context.send("here too")


@bot.command()
async def mute(context: commands.Context[Any]) -> None:
    assert context.guild is not None
    assert isinstance(context.voice_client, discord.VoiceClient)
    await context.guild.change_voice_state(channel=context.voice_client.channel, self_mute=True)


@bot.command()
async def leave(context: commands.Context[Any]) -> None:
    assert context.voice_client is not None
    await context.voice_client.disconnect(force=False)
    await context.send("bye")


bot.run(os.environ["DISCORD_TOKEN"], log_level=logging.WARNING)
