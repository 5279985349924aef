"""Language models: `llama` runs a GGUF file in this process, `openai` asks an endpoint.

`llama_server` is the thin layer over xllamacpp that `llama` stands on; `openai_errors` says what
the failures of an endpoint mean.
"""
