"""Local training: an adapter (LoRA) for the machine's own model, by `transformers` and `peft`.

The service never imports torch: it starts a process for each run (`backend`, `process`), which may
have another interpreter, and talks with it in lines of JSON (`order`, `__main__`).

In that process: `work` does it all; `model` reads the base and puts the adapter on it; `samples`
makes what is learnt, with `paraphrases` of questions and some of `general` conversation, as the
tokens that `wording` makes of conversations; `forest` packs the sequences of a step and `loss`
computes the large head where it is needed only, which together make it several times as fast as a
plain loop; `run` steps, with `checkpoints`; `export` writes the adapter as llama.cpp reads it.
"""
