"""An adapter does in llama.cpp what it did in training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
import xllamacpp

from voicemesh_trainer.engines.adapter_file import check_adapter
from voicemesh_trainer.engines.lora.export import Shape, read_adapter, write_adapter
from voicemesh_trainer.engines.lora.faults import TrainingFault
from voicemesh_trainer.engines.lora.model import Adapted, load

pytestmark = pytest.mark.integration

BFLOAT16 = 0.15
"""What logarithms may differ by: in training, the base has three significant digits."""

PROMPTS = ("Who are you?", "It is late, and the", "12345")


def adapted(base: Path, strength: float) -> Adapted:
    """A model whose adapter changes what it says."""
    made = load(base, rank=4, seed=3, device="cpu")
    made.network.float()
    chance = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in made.weights():
            if ".lora_B." in name:
                weight.copy_(strength * torch.randn(weight.shape, generator=chance))
    made.network.eval()
    return made


def export(model: Adapted, path: Path) -> Path:
    write_adapter(path, dict(model.weights()), Shape.of(model.config), model.alpha, "test")
    return path


@contextmanager
def server(base: Path, adapter: Path | None) -> Iterator[Any]:
    params = xllamacpp.CommonParams()
    params.model.path = str(base)
    params.ui = False
    params.verbosity = -1
    params.n_ctx = 256
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    if adapter is not None:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    yield xllamacpp.Server(params)


def likely(running: Any, prompt: str) -> dict[int, float]:
    """What llama.cpp takes for the likeliest next tokens, as logarithms."""
    chunks: list[dict[str, Any]] = []

    def take(chunk: dict[str, Any]) -> bool:
        chunks.append(chunk)
        return False

    request = {
        "prompt": prompt,
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": 5,
        "cache_prompt": False,
    }
    running.handle_completions(request, take)
    (first,) = chunks[0]["choices"][0]["logprobs"]["content"]
    return {each["id"]: each["logprob"] for each in first["top_logprobs"]}


def wanted(model: Adapted, prompt: str) -> torch.Tensor:
    tokens = model.tokenizer(prompt, return_tensors="pt").input_ids
    with torch.no_grad():
        logits: torch.Tensor = model.network(input_ids=tokens).logits[0, -1]
    return logits.log_softmax(-1)


def agree(model: Adapted, running: Any, tolerance: float) -> None:
    for prompt in PROMPTS:
        ours, theirs = wanted(model, prompt), likely(running, prompt)
        best = max(theirs, key=lambda token: theirs[token])
        assert ours[best] >= ours.max() - tolerance
        for token, value in theirs.items():
            assert math.isclose(ours[token].item(), value, abs_tol=tolerance), prompt


def test_llama_cpp_says_what_the_trained_model_says(llama: Path, tmp_path: Path) -> None:
    model = adapted(llama, 0.3)
    adapter = export(model, tmp_path / "adapter.gguf")
    with server(llama, adapter) as running:
        agree(model, running, BFLOAT16)
    # And the adapter is what does it.
    with server(llama, None) as running, pytest.raises(AssertionError):
        agree(model, running, BFLOAT16)


def test_so_it_does_for_the_default_model(gemma: Path, tmp_path: Path) -> None:
    model = adapted(gemma, 0.01)
    adapter = export(model, tmp_path / "adapter.gguf")
    with server(gemma, adapter) as running:
        # llama.cpp multiplies four-bit weights by eight-bit numbers.
        agree(model, running, 0.4)


def test_an_adapter_read_back_is_the_same(llama: Path, tmp_path: Path) -> None:
    model = adapted(llama, 0.3)
    adapter = export(model, tmp_path / "adapter.gguf")
    again = load(llama, rank=16, seed=8, device="cpu", start=adapter)
    assert again.alpha == model.alpha
    for (name, ours), (_name, theirs) in zip(model.weights(), again.weights(), strict=True):
        torch.testing.assert_close(ours, theirs, msg=name)


def test_the_service_takes_it_for_what_it_is(llama: Path, tmp_path: Path) -> None:
    from voicemesh_trainer.domain.models import ModelState, TunedModel

    adapter = export(adapted(llama, 0.3), tmp_path / "adapter.gguf")
    model = TunedModel(
        tenant="t",
        name="m",
        backend="local",
        base_model="llama",
        job_id="j",
        state=ModelState.CANDIDATE,
        adapter_file="a",
        adapter_sha256=None,
        provider_model=None,
        license="",
        create_time=0.0,
    )
    check_adapter(model, adapter, llama)


def test_an_adapter_of_another_model_is_refused(llama: Path, tmp_path: Path) -> None:
    model = adapted(llama, 0.3)
    shape = replace(Shape.of(model.config), layers=1)
    first = {name: each for name, each in model.weights() if ".layers.0." in name}
    write_adapter(tmp_path / "small.gguf", first, shape, 8.0, "test")
    with pytest.raises(TrainingFault, match="leaves out matrices"):
        load(llama, rank=4, seed=3, device="cpu", start=tmp_path / "small.gguf")


@pytest.mark.parametrize("kind", ["rwkv9", "gemma3_text"])
def test_matrices_that_llama_cpp_does_not_have_are_refused(kind: str, tmp_path: Path) -> None:
    shape = Shape(kind, 2, {})
    weights = {"model.layers.0.strange.lora_A.weight": torch.zeros(2, 4)}
    with pytest.raises(TrainingFault, match=r"llama\.cpp"):
        write_adapter(tmp_path / "none.gguf", weights, shape, 8.0, "test")
    assert not (tmp_path / "none.gguf").exists()


def test_names_and_strength_are_as_llama_cpp_wants_them(llama: Path, tmp_path: Path) -> None:
    model = adapted(llama, 0.3)
    reader = gguf.GGUFReader(export(model, tmp_path / "adapter.gguf"))
    alpha = reader.get_field("adapter.lora.alpha")
    assert alpha is not None
    assert alpha.contents() == model.alpha == 8.0
    assert "blk.1.attn_q.weight.lora_b" in {each.name for each in reader.tensors}
    names = [name for name, _ in model.weights()]
    weights, _alpha = read_adapter(tmp_path / "adapter.gguf", names, Shape.of(model.config))
    assert list(weights) == names
