"""Text in, speech out: the voicemesh tts service.

* `__main__`: wiring; `settings`, `errors`, `metrics`
* `domain`: voices, clauses, formats and events; `ports`: what an engine must do
* `text`: text as it is written, or SSML → clauses → the words to be said, pure
* `streaming`: one text being spoken while it is written; `calls`, `studio`: what calls share
* `speaker`, `clause_cache`: clause → samples; `turns`, `schedule`, `engine_threads`: who is next
* `voices`: who can speak, and who is in memory; `cloning`: voices made of recordings
* `tenants`, `dictionaries`: what belongs to a tenant
* `engines`: Piper, Kokoro, coqui-tts
* `audio`: level, pitch, tempo, resampling and encoding that continue from clause to clause
* `rpc`: the gRPC face
"""
