"""The model that is trained: a frozen base, read from GGUF, and the adapter on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.utils import logging as transformers_logging

from voicemesh_trainer.engines.lora.export import Shape, adapter_rank, read_adapter
from voicemesh_trainer.engines.lora.faults import TrainingFault
from voicemesh_trainer.engines.lora.forest import Forest, Sequence_
from voicemesh_trainer.engines.lora.loss import token_log_probabilities
from voicemesh_trainer.engines.lora.reading import each_file_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ("Adapted", "load")

_ALPHA_PER_RANK = 2
_ADAPTER_MARK = ".default"


@dataclass(frozen=True)
class Adapted:
    """A base model with an adapter.

    Attributes:
        network: what `peft` made of it.
        tokenizer: of the base.
        alpha: strength of the adapter; what it adds is multiplied by `alpha / rank`.
    """

    network: Any
    tokenizer: Any
    alpha: float

    @property
    def config(self) -> Any:
        """The configuration of the base's text part."""
        return self.network.config.get_text_config()

    @property
    def device(self) -> torch.device:
        """Where it is."""
        device: torch.device = self._causal.lm_head.weight.device
        return device

    @property
    def embeddings(self) -> torch.Tensor:
        """What the base reads its tokens as, [vocabulary, width]."""
        weight: torch.Tensor = self._causal.get_input_embeddings().weight
        return weight

    @property
    def _causal(self) -> Any:
        return self.network.base_model.model

    def weights(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        """What is trained, by name, in the order of the model; A [rank, in], B [out, rank]."""
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                yield name.removeprefix("base_model.model.").replace(_ADAPTER_MARK, ""), parameter

    def log_probabilities(self, sequences: Sequence[Sequence_]) -> tuple[torch.Tensor, Forest]:
        """How likely each token of the completions is, float32, as `Forest.targets` lists them."""
        forest = Forest.of(sequences)
        hidden = self._hidden(forest)
        sources = torch.tensor(forest.sources, device=self.device)
        targets = torch.tensor(forest.targets, device=self.device)
        softcap = getattr(self.config, "final_logit_softcapping", None)
        head = self._causal.lm_head.weight
        return token_log_probabilities(hidden[sources], head, targets, softcap), forest

    def sums(self, sequences: Sequence[Sequence_]) -> torch.Tensor:
        """How likely each completion is as a whole, float32 [sequences]."""
        likely, forest = self.log_probabilities(sequences)
        owners = torch.tensor(forest.owners, device=self.device)
        return torch.zeros(len(sequences), device=self.device).index_add(0, owners, likely)

    def _hidden(self, forest: Forest) -> torch.Tensor:
        """Last hidden states, [nodes, width]."""
        tokens = torch.tensor([forest.tokens], device=self.device)
        depths = torch.tensor([forest.depths], device=self.device)
        states = self._causal.model(
            input_ids=tokens,
            position_ids=depths,
            attention_mask=self._masks(forest),
            use_cache=False,
        ).last_hidden_state
        hidden: torch.Tensor = states[0]
        return hidden

    def _masks(self, forest: Forest) -> Any:
        """Who sees whom: each node its ancestors, in layers with a window the near ones only."""
        sees = torch.zeros((len(forest), len(forest)), dtype=torch.bool)
        for node, parent in enumerate(forest.parents):
            if parent >= 0:
                sees[node] = sees[parent]
            sees[node, node] = True
        window = getattr(self.config, "sliding_window", None)
        near = sees
        if window:
            depths = torch.tensor(forest.depths)
            near = sees & (depths[:, None] - depths[None, :] < window)
        full, near = (each[None, None].to(self.device) for each in (sees, near))
        kinds = set(getattr(self.config, "layer_types", None) or ())
        if "sliding_attention" in kinds:
            return {"full_attention": full, "sliding_attention": near}
        return near if window and not kinds else full


def load(base: Path, *, rank: int, seed: int, device: str, start: Path | None = None) -> Adapted:
    """Reads a base model and puts an adapter on it: a new one, which changes nothing yet.

    Args:
        base: a GGUF file, or a directory as `transformers` saves models.
        rank: of a new adapter.
        seed: decides on a new adapter's A.
        device: where torch computes.
        start: an adapter (GGUF) to start from instead of a new one.

    Raises:
        TrainingFault: if the file cannot be read, or is of a kind that cannot be trained here.
    """
    transformers_logging.disable_progress_bar()
    place = base.parent if base.is_file() else base
    named: dict[str, Any] = {"gguf_file": base.name} if base.is_file() else {}
    options = named | ({"quantization_config": GgufConfig(dequantize=True)} if named else {})
    try:
        with each_file_once():
            tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True, **named)
            causal = AutoModelForCausalLM.from_pretrained(
                place,
                local_files_only=True,
                dtype=_dtype(device),
                attn_implementation="sdpa",
                **options,
            )
    except (OSError, ValueError, KeyError, RuntimeError, NotImplementedError) as error:
        msg = f"the base model cannot be read for training: {type(error).__name__}: {error}"
        raise TrainingFault(msg) from error
    torch.manual_seed(seed)
    rank = rank if start is None else adapter_rank(start)
    alpha = float(_ALPHA_PER_RANK * rank)
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules="all-linear",
        lora_dropout=0.0,
        task_type="CAUSAL_LM",
    )
    network = get_peft_model(causal.to(device), config)
    network.train()
    adapted = Adapted(network, tokenizer, alpha)
    if start is not None:
        adapted = _started(adapted, start)
    _check(adapted)
    return adapted


def _started(adapted: Adapted, start: Path) -> Adapted:
    """With the matrices of another adapter."""
    weights = dict(adapted.weights())
    tensors, alpha = read_adapter(start, list(weights), Shape.of(adapted.config))
    with torch.no_grad():
        for name, weight in weights.items():
            if weight.shape != tensors[name].shape:
                msg = "the adapter to start from is for another base model"
                raise TrainingFault(msg)
            # Ours may be of another strength: B makes up for it.
            share = alpha / adapted.alpha if ".lora_B." in name and alpha else 1.0
            weight.copy_(tensors[name] * share)
    return adapted


def _dtype(device: str) -> torch.dtype:
    """bfloat16 where the processor multiplies in it, which takes half the time or less."""
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32


def _check(adapted: Adapted) -> None:
    """Two sequences that begin alike must come out as they do one by one.

    Raises:
        TrainingFault: if not: the model looks at its input in another way.
    """
    several = [Sequence_((3, 5, 8, 13), (21, 34)), Sequence_((3, 5, 9), (10, 11, 12))]
    with torch.no_grad():
        together, _forest = adapted.log_probabilities(several)
        alone = torch.cat([_plainly(adapted, each) for each in several])
    if not torch.allclose(together, alone, rtol=0.05, atol=0.2):
        msg = f"models of the kind {adapted.config.model_type} cannot be trained here"
        raise TrainingFault(msg)


def _plainly(adapted: Adapted, sequence: Sequence_) -> torch.Tensor:
    tokens = [*sequence.prompt, *sequence.completion]
    logits = adapted.network(input_ids=torch.tensor([tokens], device=adapted.device)).logits[0]
    begin = len(sequence.prompt)
    wanted = torch.tensor(sequence.completion, device=adapted.device)
    likely = logits[begin - 1 : -1].float().log_softmax(-1)
    return likely.gather(1, wanted[:, None])[:, 0]
