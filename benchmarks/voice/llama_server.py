"""The trainer's language model behind llama.cpp's own HTTP server, which speaks OpenAI's API.

    python -m benchmarks.voice.llama_server PORT NAME

Model, threads, context and batches are those of the trainer by default, and so are the words: the
model is none for chats, so the trainer writes a transcript for it to go on with. A chat template
makes the same transcript here, with an assistant called NAME. Whoever asks stops at a new line.
"""

from __future__ import annotations

import json
import sys
import threading

import xllamacpp

from voicemesh_models import ModelStore, default_models_dir, load_catalogue
from voicemesh_trainer.domain.conversations import Role, Turn
from voicemesh_trainer.prompt import line_prompt
from voicemesh_trainer.settings import TrainerSettings

_MODEL = "gemma-3-270m"
_BATCH_TOKENS = 256
_TURNS = r"""
{%- for message in messages -%}
{%- if message['role'] == 'user' -%}{{ 'User: ' + message['content'] + '\n' }}
{%- elif message['role'] == 'assistant' -%}{{ 'Assistant: ' + message['content'] + '\n\n' }}
{%- endif -%}
{%- endfor -%}
{{- 'Assistant:' -}}
"""


def main() -> None:
    """Serves until it is ended."""
    local = TrainerSettings().local
    (file,) = ModelStore(default_models_dir(), load_catalogue()).require(_MODEL).glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.model_alias = {_MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = int(sys.argv[1])
    params.chat_template = _template(sys.argv[2])
    params.ui = False
    params.verbosity = 0
    params.n_ctx = local.context_tokens * local.slots
    params.n_parallel = local.slots
    params.n_batch = params.n_ubatch = _BATCH_TOKENS
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.swa_full = True
    params.cache_ram_mib = local.prompt_cache_mib
    params.fit_params = False
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Event().wait()


def _template(name: str) -> str:
    """A template that makes of messages what the trainer makes of turns."""
    asked = "Is this a question?"
    about, _, _ = line_prompt([Turn(Role.USER, asked)], None, name=name).rpartition("User: ")
    return "{{- " + json.dumps(about) + " -}}" + _TURNS


if __name__ == "__main__":
    main()
