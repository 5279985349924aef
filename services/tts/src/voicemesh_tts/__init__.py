"""Text in, speech out: the voicemesh tts service.

* `__main__`: wiring; `settings`, `errors`, `metrics`
* `domain`: voices, clauses, formats and events; `ports`: what an engine must do
* `clauses` (with `boundaries`, `graphemes`): text as it is written → clauses, pure
* `speakable`: Markdown, links and emoji → what a voice can say, pure
* `streaming`: one text being spoken while it is written; `whole`: one finished text
* `speaker`, `turns`: clause → samples on a bounded pool of threads, callers in turn
* `voices`: who can speak; `engines`: Piper
* `audio`: gain, resampling and encoding that continue from clause to clause
* `rpc`: the gRPC face
"""
