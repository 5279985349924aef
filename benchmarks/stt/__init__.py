"""The stt service against faster-whisper in-process and the wyoming-faster-whisper server.

`make bench-stt` runs it. All systems use the same model (whisper-tiny.en, int8 on a CPU), the same
recordings and the same beam, in one run and in turns, so that a machine that slows down slows all.
"""
