"""A small Llama with random weights as a GGUF file, which llama.cpp and transformers both read."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from voicemesh_models import ModelStore, default_models_dir, load_catalogue
from voicemesh_trainer.domain.training_data import PreferencePair, TrainingExample
from voicemesh_trainer.engines.gguf_file import gguf_file
from voicemesh_trainer.engines.lora.order import Order, Recipe

WIDTH, HEADS, KEY_HEADS, LAYERS, INNER = 64, 4, 2, 2, 128


def pytest_configure(config: pytest.Config) -> None:
    """Let the libraries' own warnings be; ours stay errors."""
    for module in ("torch", "transformers", "peft", "trl", "accelerate", "gguf", "numpy"):
        config.addinivalue_line("filterwarnings", rf"ignore:::{module}(\..*)?$")


def write_llama(path: Path) -> Path:
    """Writes a small Llama whose keys have fewer heads than its queries."""
    chance = np.random.default_rng(5)
    letters = ["▁", "\n", *string.ascii_letters, *string.digits, *string.punctuation]
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters]
    kinds = [2, 3, 3, *[6] * 256, *[1] * len(letters)]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)

    def matrix(name: str, rows: int, columns: int) -> None:
        values = chance.normal(0, 1.5 / columns**0.5, (rows, columns))
        writer.add_tensor(f"{name}.weight", values.astype(np.float32))

    matrix("token_embd", len(tokens), WIDTH)
    matrix("output", len(tokens), WIDTH)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    for layer in range(LAYERS):
        keys = WIDTH // HEADS * KEY_HEADS
        shapes = {"attn_q": WIDTH, "attn_k": keys, "attn_v": keys, "attn_output": WIDTH}
        for name, rows in (shapes | {"ffn_gate": INNER, "ffn_up": INNER}).items():
            matrix(f"blk.{layer}.{name}", rows, WIDTH)
        matrix(f"blk.{layer}.ffn_down", WIDTH, INNER)
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small Llama."""
    return write_llama(tmp_path_factory.mktemp("llama") / "llama.gguf")


@pytest.fixture(scope="session")
def gemma() -> Path:
    """The default model's file."""
    return gguf_file(ModelStore(default_models_dir(), load_catalogue()), "gemma-3-270m", None)


@pytest.fixture
def order(llama: Path, tmp_path: Path) -> Callable[..., Order]:
    """Makes an order for the small Llama; its recipe and the rest by name."""
    examples = tuple(
        TrainingExample(f"What is the name of number {number}?", f"It is {name}.")
        for number, name in enumerate(("Ada", "Bob", "Cleo"))
    )
    pairs = (PreferencePair("Who are you?", "A friend.", "Nobody."),)

    def make(**fields: Any) -> Order:
        recipe = {"epoch_count": 2, "batch_size": 4, "lora_rank": 4, "paraphrase_count": 2}
        chosen = {name: fields.pop(name) for name in list(fields) if name in Recipe.__annotations__}
        (tmp_path / "run").mkdir(exist_ok=True)
        about = {
            "base": str(llama),
            "directory": str(tmp_path / "run"),
            "data_sha256": "5e",
            "examples": examples,
            "pairs": pairs,
            # One, so that every sum is made in the same order.
            "threads": 1,
            # Short, as every letter is a token here; a transcript would be a thousand.
            "style": "chat",
            "about": "Short.",
        }
        return Order(**{**about, **fields}, recipe=Recipe(**{**recipe, **chosen}))

    return make
