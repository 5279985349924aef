"""The bot as a member of Discord.

* `addressing`: pure; whom a message is for
* `mentions`: ids in a text become the names that people read
* `pages`: pure; how an answer is cut into messages
* `histories`: pure; what was said in each channel
* `answers`: one answer from the question to the last edit
* `canvas`: an answer as it stands in Discord
* `typing_sign`: "… is typing" while an answer is made
* `sentences`: what people are told when there is no answer
* `client`: the discord.py client with its events
* `commands/`: what people can tell the bot to do; `rooms/`: its stays in voice channels
* `spoken`, `audio_source`, `opus_codec`: answers as sound; `caption_wall`: captions as messages
* `ip_discovery`: how the voice socket learns its own address
* `troubles`: what Discord refuses, for whoever can do nothing about it
* `rate_limits`: a request that is given up during a rate limit does not hold up the others
* `login`: staying connected
* `voice_client`, `dave`: discord.py's voice client with ears, and what they see of its encryption
* `voice_connection`: a guild's voice connection that lasts
* `front`: all of it as a front of the bot
* `ports`: what all this needs besides the ports of the bot
"""
