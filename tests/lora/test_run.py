"""A run is the same whenever it is run, and however often it is interrupted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from voicemesh_trainer.domain.training_data import TrainingExample
from voicemesh_trainer.engines.lora.faults import TrainingFault
from voicemesh_trainer.engines.lora.order import Order
from voicemesh_trainer.engines.lora.work import work

pytestmark = pytest.mark.unit

MakeOrder = Callable[..., Order]


class Heard:
    """Keeps what a run tells; asks it to pause after a step, if wanted."""

    def __init__(self, kept: Path | None = None, pause_after: int = 0) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []
        self._kept = kept
        self._pause_after = pause_after

    def tell(self, kind: str, **facts: object) -> None:
        self.events.append((kind, facts))

    def tell_checkpoint(self, path: Path, step: int) -> None:
        self.tell("checkpoint", step=step)
        if self._kept is not None:
            shutil.copy(path, self._kept)

    def shall_pause(self) -> bool:
        return 0 < self._pause_after <= len(self.of("progress"))

    def of(self, kind: str) -> list[dict[str, object]]:
        return [facts for name, facts in self.events if name == kind]


def adapter_of(order: Order, heard: Heard) -> bytes:
    work(order, heard)
    (done,) = heard.of("done")
    return Path(str(done["adapter"])).read_bytes()


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(order: MakeOrder) -> None:
    first = adapter_of(order(), Heard())
    assert adapter_of(order(), Heard()) == first
    assert adapter_of(order(seed=1), Heard()) != first


def test_an_interrupted_run_ends_as_an_unbroken_one(order: MakeOrder, tmp_path: Path) -> None:
    unbroken = Heard()
    wanted = adapter_of(order(), unbroken)
    saved = tmp_path / "saved.safetensors"
    paused = Heard(saved, pause_after=2)
    work(order(), paused)
    assert paused.events[-1] == ("paused", {})
    assert paused.of("checkpoint") == [{"step": 2}]

    resumed = Heard()
    assert adapter_of(order(checkpoint=str(saved)), resumed) == wanted
    losses = [each["loss"] for each in unbroken.of("progress")]
    assert [each["loss"] for each in resumed.of("progress")] == losses[2:]


def test_the_loss_falls_and_the_record_is_complete(order: MakeOrder) -> None:
    heard = Heard()
    adapter_of(order(epoch_count=12, learning_rate=0.02), heard)
    losses = [float(str(each["loss"])) for each in heard.of("progress")]
    assert sum(losses[-4:]) < 0.5 * sum(losses[:4])
    versions, metrics = (each for each in heard.of("facts"))
    assert {"torch", "peft", "transformers", "device"} <= set(versions["versions"])  # type: ignore[call-overload]
    assert {"loss", "tokens", "tokens_per_second", "seconds"} <= set(metrics["metrics"])  # type: ignore[call-overload]
    rates = [float(str(each["learning_rate"])) for each in heard.of("progress")]
    assert rates[0] < max(rates) > rates[-1] > 0


@pytest.mark.parametrize("change", ["data", "recipe"])
def test_a_checkpoint_of_another_run_is_refused(
    order: MakeOrder, tmp_path: Path, change: str
) -> None:
    saved = tmp_path / "saved.safetensors"
    work(order(), Heard(saved, pause_after=1))
    other = order(
        checkpoint=str(saved), **({"data_sha256": "00"} if change == "data" else {"seed": 9})
    )
    with pytest.raises(TrainingFault, match="other data, settings"):
        work(other, Heard())


def test_a_checkpoint_that_is_none_is_refused(order: MakeOrder, tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")  # a pickle
    with pytest.raises(TrainingFault, match="cannot be read"):
        work(order(checkpoint=str(broken)), Heard())


def test_training_goes_on_from_an_adapter(order: MakeOrder, tmp_path: Path) -> None:
    first = order(epoch_count=12, learning_rate=0.02, pairs=())
    heard = Heard()
    adapter_of(first, heard)
    adapter = shutil.copy(tmp_path / "run" / "adapter.gguf", tmp_path / "first.gguf")
    second = Heard()
    work(replace(first, adapter=str(adapter)), second)
    begun = float(str(second.of("progress")[0]["loss"]))
    assert begun < 0.6 * float(str(heard.of("progress")[0]["loss"]))


def test_a_file_that_is_no_model_is_refused_in_a_sentence(order: MakeOrder, tmp_path: Path) -> None:
    (tmp_path / "noise.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(TrainingFault, match="base model cannot be read"):
        work(order(base=str(tmp_path / "noise.gguf")), Heard())


def test_a_rate_without_bounds_ends_in_a_sentence(order: MakeOrder) -> None:
    with pytest.raises(TrainingFault, match="smaller learning_rate"):
        work(order(learning_rate=1e30), Heard())


def test_long_examples_lose_the_front_of_the_prompt(order: MakeOrder) -> None:
    long = (TrainingExample("word " * 500, "yes " * 400), TrainingExample("", "plain text " * 50))
    heard = Heard()
    adapter_of(order(examples=long, pairs=(), max_example_tokens=64, epoch_count=1), heard)
    assert all(float(str(each["loss"])) > 0 for each in heard.of("progress"))
