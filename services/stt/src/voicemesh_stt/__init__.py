"""Speech in, words out: the speech-to-text service of voicemesh.

- `domain`, `events`: what is asked for and what is answered; frozen data, nothing imported.
- `ports`, `file_ports`: what this service needs of engines and of whoever counts its work.
- `errors`: what can be wrong with a request here.
- `turns`: when a turn begins, pauses, goes on and is over (pure).
- `end_of_turn`: how long to wait for more, judged by the words (pure).
- `agreement`: which words of successive partials are stable (pure).
- `chunks`: where a long recording may be cut (pure).
- `packets`: Opus packets in order, with silence where some are missing (pure).
- `plausibility`: words that the audio cannot hold (pure).
- `schedule`, `pace`: the queue in front of the engines, and how fast it empties (pure).
- `languages`: BCP-47 codes and what a model knows of them (pure).
- `passages`: the words of audio of any length, by `scribe`, who has the engine hear it in pieces.
- `recordings`: one whole recording, from bytes to a transcript.
- `files`: uploaded files of any length, by `file_work` (one of them), `spool` (its bytes),
  `file_reading` and `cutting` (its pieces) and `sequence` (its segments in order, pure).
- `live_stream`: one live stream, from audio to events, by `live_items` (reading), `hearing`
  (decoding, voices), `turn_audio` (what is kept), `live_turn` (words) and `outbox` (events).
- `model_life`: which models are in memory, and which must go (pure).
- `shelf`: the models, loaded on demand and lent to calls; `stream_models`: those of every stream.
- `engines`: faster-whisper and its one owner, Silero VAD, PyAV decoders.
- `rpc`: translation from and to the protobuf contract.
- `settings`, `metrics`, `__main__`: how it is put together and run.
"""
