"""The bot as a member of Discord, in text.

* `addressing`: pure; whom a message is for
* `mentions`: ids in a text become the names that people read
* `pages`: pure; how an answer is cut into messages
* `histories`: pure; what was said in each channel
* `answers`: one answer from the question to the last edit
* `canvas`: an answer as it stands in Discord
* `typing_sign`: "… is typing" while an answer is made
* `sentences`: what people are told when there is no answer
* `client`: the discord.py client with its events and commands
* `login`: staying connected
* `front`: all of it as a front of the bot
* `ports`: what all this needs besides the ports of the bot
"""
