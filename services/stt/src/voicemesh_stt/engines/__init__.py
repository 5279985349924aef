"""What implements the ports: the only modules that import model and codec libraries.

- `whisper`: faster-whisper, one loaded model.
- `owner`: the one owner of the engine: queue, thread, deadlines, cancellation.
- `loading`: from settings to loaded models.
- `containers`, `raw_audio`, `opus`, `resampling`: from bytes to 16 kHz mono.
"""
