"""The tts service against Piper in-process and the wyoming-piper server.

`make bench-tts` runs it. All systems speak with the same voice (en_US-joe-medium, on a CPU), the
same texts and with its own variation of sound, in one run and in turns, so that a machine that
slows down slows all.
"""
