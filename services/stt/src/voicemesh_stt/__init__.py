"""Speech in, words out: the speech-to-text service of voicemesh.

- `domain`, `events`: what is asked for and what is answered; frozen data, nothing imported.
- `ports`: what this service needs of engines and of whoever counts its work.
- `errors`: what can be wrong with a request here.
- `languages`: BCP-47 codes and what a model knows of them (pure).
- `chunks`: where a long recording may be cut (pure).
- `plausibility`: words that the audio cannot hold (pure).
- `schedule`, `pace`: the queue in front of the engines, and how fast it empties (pure).
- `passages`: the words of audio of any length, by `scribe`, who has the engine hear it in pieces.
- `live`: live streams, from audio to the events of turns.
- `files`: whole recordings and uploaded files, from bytes to words.
- `models`: the models, loaded on demand and lent to calls.
- `engines`: faster-whisper and its one owner, Silero VAD, PyAV decoders.
- `rpc`: translation from and to the protobuf contract.
- `settings`, `metrics`, `__main__`: how it is put together and run.
"""
