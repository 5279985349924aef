"""espeak-ng in a child process: what happens when it dies, and when it does not answer."""

from __future__ import annotations

import os
import signal
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from voicemesh_tts.engines.phonemiser import Phonemiser
from voicemesh_tts.errors import EngineStalledError, UnpronounceableTextError

pytestmark = pytest.mark.unit

CONFIG = Path("voice.onnx.json")
CHILD = textwrap.dedent("""
    import json, os, pathlib, signal, sys, time
    for line in sys.stdin:
        text = " ".join(json.loads(line)[1])
        once = pathlib.Path(os.environ["ONCE"])
        if text == "die" or (text == "die once" and not once.exists()):
            once.touch()
            os.kill(os.getpid(), signal.SIGSEGV)
        if text == "hang":
            time.sleep(60)
        pid = str(os.getpid())
        sentences = [[list(text), [0] * len(text)], [[pid], [-1]]]
        print(json.dumps(sentences), flush=True)
""")

Make = Callable[..., Phonemiser]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Phonemisers whose child is a few lines long."""
    (tmp_path / "few_lines.py").write_text(CHILD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("ONCE", str(tmp_path / "once"))
    made: list[Phonemiser] = []

    def phonemiser(**options: float) -> Phonemiser:
        made.append(Phonemiser("few_lines", **options))
        return made[-1]

    yield phonemiser
    for one in made:
        one.close()


def child_of(phonemiser: Phonemiser) -> int:
    return int(phonemiser.sentences(CONFIG, ["ok"])[-1].phonemes[0])


def heard(phonemiser: Phonemiser, text: str) -> str:
    return "".join(phonemiser.sentences(CONFIG, text.split())[0].phonemes)


def test_one_child_answers_everything(make: Make) -> None:
    phonemiser = make()

    assert heard(phonemiser, "ok") == "ok"
    assert child_of(phonemiser) == child_of(phonemiser)


def test_a_text_that_ends_the_child_is_tried_again_and_then_refused(make: Make) -> None:
    phonemiser = make()
    first = child_of(phonemiser)

    with pytest.raises(UnpronounceableTextError) as refused:
        heard(phonemiser, "die")

    assert refused.value.field == "text"
    assert child_of(phonemiser) != first


def test_a_text_that_only_met_a_damaged_child_is_answered(make: Make) -> None:
    assert heard(make(), "die once") == "die once"


def test_a_child_that_died_between_two_texts_is_replaced(make: Make) -> None:
    phonemiser = make()
    first = child_of(phonemiser)
    os.kill(first, signal.SIGKILL)

    assert child_of(phonemiser) != first


def test_a_child_that_does_not_answer_is_ended(make: Make) -> None:
    phonemiser = make(answer_s=2)
    first = child_of(phonemiser)

    with pytest.raises(EngineStalledError):
        heard(phonemiser, "hang")

    assert child_of(phonemiser) != first


def test_threads_get_their_own_answers(make: Make) -> None:
    phonemiser = make()
    answers: dict[str, str] = {}

    def ask(text: str) -> None:
        answers[text] = heard(phonemiser, text)

    threads = [threading.Thread(target=ask, args=[str(number) * 50]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    texts = [str(number) * 50 for number in range(8)]
    assert answers == dict(zip(texts, texts, strict=True))


def test_no_child_outlives_its_owner(make: Make) -> None:
    with closing(make()) as phonemiser:
        child = child_of(phonemiser)

    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_sounds_say_whose_they_are_in_all_parts_of_a_text(make: Make) -> None:
    words = ["long"] * 100

    sentences = make().sentences(CONFIG, words)

    # Here every part of the text is a sentence of its first word, and the child's number.
    assert [set(sentence.words) for sentence in sentences] == [{0}, {-1}, {80}, {-1}]


def test_the_real_child_reads_words_in_voices_of_espeak_itself() -> None:
    with closing(Phonemiser()) as phonemiser:
        first, second = phonemiser.sentences("en-us", ["On", "the", "42nd.", "Yes."])

    assert "".join(first.phonemes).startswith("\u0254n\u00f0\u0259 ")
    assert sorted({*first.words, *second.words}) == [-1, 0, 1, 2, 3]
    assert set(second.words) == {-1, 3}
