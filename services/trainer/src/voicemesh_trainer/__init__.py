"""The brain: answers conversations from the machine's own model or from a remote one.

* `rpc` translates between the contract and `domain`; it checks every field of a request
* `memory` answers from what people taught, or shows it to a model; `tenant_answers` says who asks
* `generation` runs one answer: time limits, stop sequences, events in order
* `answer`, `stops` and `repetition` are pure: what of a model's text becomes the answer
* `prompt` and `truncation` are pure: what of a conversation becomes the model's input
* `roster` knows the models by name, `slots` bounds how many answers are written at once
* `provider` stands between callers and an endpoint that may fail; `metering` counts answers
* `datasets` reads, writes and packs what people give; `training` turns it into models, `evaluation`
  tests these, `registry` promotes them
* `ports` say what all this needs: `engines` has llama.cpp (in this process), OpenAI-compatible
  endpoints, and what trains for both; `stores` has the database and the files
* `__main__` and `wiring` put these together
"""
