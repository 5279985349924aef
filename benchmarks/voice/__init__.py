"""Voice to voice: the bot in a voice channel of a simulated Discord, and pipecat."""
