"""The brain: answers conversations from the machine's own model or from a remote one.

* `rpc` translates between the contract and `domain`; it checks every field of a request
* `generation` runs one answer: time limits, stop sequences, events in order
* `answer`, `stops` and `repetition` are pure: what of a model's text becomes the answer
* `prompt` and `truncation` are pure: what of a conversation becomes the model's input
* `roster` knows the models by name, `slots` bounds how many answers are written at once
* `ports.LanguageModel` is what an engine is; `engines` has llama.cpp (in this process) and
  OpenAI-compatible endpoints; `metering` counts what becomes of answers
* `__main__` wires these together
"""
