"""The real engine on real speech: batches, second looks, word times, and what is no speech."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from voicemesh_stt.domain import RecognitionOptions
from voicemesh_stt.engines.whisper import WhisperEngine, WhisperPlace
from voicemesh_stt.ports import Again, Engine, Job, Lane, Prepared, Recognition, Worked

pytestmark = pytest.mark.contract

Audio = npt.NDArray[np.float32]
NAMES = ("librivox-0870.wav", "librivox-0880.wav", "librivox-0890.wav", "librivox-0920.wav")
TWICE = "librivox-0880.wav"


def load(models_dir: Path, min_context_s: float = 10.0) -> WhisperEngine:
    place = WhisperPlace(
        "tiny", models_dir / "whisper-tiny.en", "MIT", "cpu", min_context_s=min_context_s
    )
    return WhisperEngine(place)


@pytest.fixture(scope="module")
def engine(models_dir: Path) -> WhisperEngine:
    """Whisper with contexts as short as they get."""
    return load(models_dir)


@pytest.fixture(scope="module")
def whole(models_dir: Path) -> WhisperEngine:
    """Whisper with its own context for everything."""
    return load(models_dir, min_context_s=30.0)


def job(
    audio: Audio,
    lane: Lane = Lane.BULK,
    *,
    words: bool = False,
    prompt: str = "",
    hotwords: tuple[str, ...] = (),
) -> Job:
    wanted = RecognitionOptions(
        language="en",
        initial_prompt=prompt,
        hotwords=hotwords,
        word_timestamps=words,
        beam_size=5,
    )
    return Job(audio, wanted, lane, 60.0)


def prepared(engine: Engine, audios: Sequence[Audio], *, words: bool = False) -> list[Prepared]:
    return [engine.prepare(job(audio, words=words)) for audio in audios]


def recognised(worked: Worked) -> list[Recognition]:
    """The words of a batch whose jobs are all believed at the first look."""
    found = [outcome for outcome in worked.outcomes if isinstance(outcome, Recognition)]
    assert len(found) == len(worked.outcomes)
    return found


def said(found: Recognition) -> list[tuple[str, float, float]]:
    """Each segment and each word with its times; confidence differs in the last digits."""
    segments = [(each.text, each.start_s, each.end_s) for each in found.segments]
    words = [word for segment in found.segments for word in segment.words]
    return segments + [(word.text, word.start_s, word.end_s) for word in words]


def noise(seconds: float) -> Audio:
    values = np.random.default_rng(1).standard_normal(round(16_000 * seconds)) * 0.05
    return values.astype(np.float32)


def test_it_is_an_engine(engine: WhisperEngine, engine_contract: Callable[[Engine], None]) -> None:
    engine_contract(engine)


def test_a_batch_says_of_each_job_what_it_would_say_alone(
    engine: WhisperEngine,
    voice: Callable[[str], Audio],
    wer: Callable[[str, str], float],
) -> None:
    names = [*NAMES, *NAMES[:2]]  # more than are encoded together
    batch = prepared(engine, [voice(name) for name in names])

    together = recognised(engine.recognise(batch))
    alone = [recognised(engine.recognise([each]))[0] for each in batch]

    assert [said(found) for found in together] == [said(found) for found in alone]
    for name, found in zip(names, together, strict=True):
        assert wer(name, found.text) < 0.35


def test_a_short_context_gives_the_words_of_the_whole(
    engine: WhisperEngine,
    whole: WhisperEngine,
    voice: Callable[[str], Audio],
    wer: Callable[[str, str], float],
) -> None:
    audios = [voice(name) for name in NAMES]
    short, long = prepared(engine, audios), prepared(whole, audios)
    assert {each.context_s for each in short} <= {10.0, 12.5, 15.0}
    assert {each.context_s for each in long} == {30.0}

    def rate(found: list[Recognition]) -> float:
        return sum(wer(name, each.text) for name, each in zip(NAMES, found, strict=True)) / 4

    ours, theirs = recognised(engine.recognise(short)), recognised(whole.recognise(long))
    assert rate(ours) <= rate(theirs) + 0.1


@pytest.mark.parametrize(
    ("audio_s", "context_s"),
    [(0.5, 10.0), (7.4, 10.0), (7.6, 12.5), (12.4, 15.0), (12.6, 20.0), (28.5, 30.0)],
)
def test_the_context_holds_the_audio_and_two_seconds(
    engine: WhisperEngine, audio_s: float, context_s: float
) -> None:
    (each,) = prepared(engine, [noise(audio_s)])

    assert each.context_s == context_s
    lead_s = 0.5 if context_s < 30 else 0.0
    assert each.audio_frames == round((lead_s + audio_s) * 100)


@pytest.mark.parametrize(("audio_s", "lead_s"), [(0.1, 0.5), (22.0, 0.5), (29.0, 0.0), (30.0, 0.0)])
def test_half_a_second_of_silence_goes_before_the_audio_of_a_short_context(
    engine: WhisperEngine, audio_s: float, lead_s: float
) -> None:
    (each,) = prepared(engine, [noise(audio_s)])

    assert each.lead_s == lead_s
    # The transform looks 200 samples ahead, into the noise.
    lead = each.features[:, : max(0, each.lead_frames - 2)]
    assert np.all(lead == pytest.approx(each.features.max() - 2.0, abs=1e-5))


def test_features_are_padded_with_silence(engine: WhisperEngine) -> None:
    (each,) = prepared(engine, [noise(2.0)])

    padding = each.features[:, 251:]
    assert np.unique(padding).tolist() == [pytest.approx(each.features.max() - 2.0, abs=1e-5)]


def test_what_ends_with_a_repetition_is_looked_at_again_with_the_whole_context(
    engine: WhisperEngine, voice: Callable[[str], Audio]
) -> None:
    phrase = voice(TWICE)
    twice, once = np.concatenate([phrase, phrase]), voice(NAMES[0])
    doubted, believed = engine.recognise(prepared(engine, [twice, once])).outcomes

    assert isinstance(doubted, Again)
    assert isinstance(believed, Recognition)
    assert doubted.prepared.context_s == 30.0
    assert doubted.found.text.count("young man") == 2
    # It was really said twice, which the whole context shows.
    (sure,) = recognised(engine.recognise([doubted.prepared]))
    assert sure.text.count("young man") == 2


def test_word_times_of_a_batch_are_those_of_each_job_alone(
    engine: WhisperEngine, voice: Callable[[str], Audio]
) -> None:
    batch = prepared(engine, [voice(name) for name in NAMES], words=True)

    together = recognised(engine.recognise(batch))
    alone = [recognised(engine.recognise([each]))[0] for each in batch]

    for ours, theirs in zip(map(said, together), map(said, alone), strict=True):
        assert [text for text, _, _ in ours] == [text for text, _, _ in theirs]
        # The attention of a batch is rounded otherwise, on some processors by a tick of 20 ms.
        assert [times for _, *times in ours] == [
            pytest.approx(times, abs=0.05) for _, *times in theirs
        ]
    for each, found in zip(batch, together, strict=True):
        words = [word for segment in found.segments for word in segment.words]
        assert "".join(word.text for word in words) == found.text.replace(" ", "")
        times = [at for word in words for at in (word.start_s, word.end_s)]
        assert times == sorted(times)
        assert times[-1] <= each.job.audio_s
        assert all(0 <= word.confidence <= 1 for word in words)


def test_no_words_have_times_unless_they_are_asked_for(
    engine: WhisperEngine, voice: Callable[[str], Audio]
) -> None:
    (found,) = recognised(engine.recognise(prepared(engine, [voice(TWICE)])))

    assert all(not segment.words for segment in found.segments)


def test_long_speech_comes_in_segments_that_follow_each_other(
    engine: WhisperEngine, voice: Callable[[str], Audio], wer: Callable[[str, str], float]
) -> None:
    pause = np.zeros(8_000, dtype=np.float32)
    parts = [voice(name) for name in NAMES]
    audio = np.concatenate([piece for part in parts for piece in (part, pause)])
    (each,) = prepared(engine, [audio])

    (found,) = recognised(engine.recognise([each]))

    assert len(found.segments) > 1
    times = [at for segment in found.segments for at in (segment.start_s, segment.end_s)]
    assert times == sorted(times)
    assert times[-1] <= each.job.audio_s
    assert wer(NAMES[-1], found.segments[-1].text) < 1.0  # the end was heard as well


def test_a_prompt_and_hot_words_are_given_to_the_jobs_that_name_them_only(
    engine: WhisperEngine, voice: Callable[[str], Audio]
) -> None:
    plain, prompted, long = (
        engine.prepare(job(voice(TWICE), prompt=prompt, hotwords=words))
        for prompt, words in (("", ()), ("The Dashwoods", ()), ("word " * 500, ("Norland",) * 99))
    )

    assert len({plain.batch_key, prompted.batch_key, long.batch_key}) == 3
    for each in (plain, prompted, long):
        assert "young man" in recognised(engine.recognise([each]))[0].text


@pytest.mark.parametrize(
    "audio",
    [
        np.zeros(16_000, dtype=np.float32),
        np.zeros(10, dtype=np.float32),
        np.zeros(0, dtype=np.float32),
        np.full(16_000, np.nan, dtype=np.float32),
        np.full(16_000, np.inf, dtype=np.float32),
        np.ones(40 * 16_000, dtype=np.float32),
    ],
    ids=["silence", "short", "empty", "not a number", "infinite", "too long"],
)
def test_what_is_no_speech_does_no_harm_to_its_batch(
    engine: WhisperEngine, voice: Callable[[str], Audio], audio: Audio
) -> None:
    odd = engine.prepare(job(audio))
    assert np.isfinite(odd.features).all()
    speech = engine.prepare(job(voice(TWICE)))
    batch = [odd, speech] if odd.batch_key == speech.batch_key else [odd]

    worked = engine.recognise(batch)

    assert len(worked.outcomes) == len(batch)
    if len(batch) == 2:
        together, alone = worked.outcomes[1], recognised(engine.recognise([speech]))[0]
        assert isinstance(together, Recognition)
        assert said(together) == said(alone)


def test_noise_is_tried_at_fewer_temperatures_live_than_in_a_recording(
    whole: WhisperEngine,
) -> None:
    jobs = [job(noise(3.0), lane) for lane in (Lane.LIVE, Lane.BULK)]
    batch = [whole.prepare(each) for each in jobs]
    languages = whole._languages(batch, np.zeros((2, 1, 1)))

    wanted = [whole._wanted(*each) for each in zip(batch, languages, strict=True)]

    assert [each.attempts for each in wanted] == [3, 6]


def test_a_cancelled_job_costs_no_decoding_and_spoils_nothing(
    engine: WhisperEngine, voice: Callable[[str], Audio]
) -> None:
    gone, stays = prepared(engine, [voice(NAMES[0]), voice(NAMES[1])])
    gone.job.cancelled.set()

    nothing, found = recognised(engine.recognise([gone, stays]))

    assert not nothing.segments
    assert said(found) == said(recognised(engine.recognise([stays]))[0])


def test_several_threads_may_use_it_at_once(
    engine: WhisperEngine, voice: Callable[[str], Audio]
) -> None:
    batches = [prepared(engine, [voice(name)]) for name in NAMES]
    found: dict[int, Worked] = {}

    def work(at: int) -> None:
        found[at] = engine.recognise(batches[at])

    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for at, batch in enumerate(batches):
        (ours,), (alone,) = recognised(found[at]), recognised(engine.recognise(batch))
        assert said(ours) == said(alone)


def test_unloading_lets_calls_in_progress_end_and_then_frees_the_memory(
    models_dir: Path, voice: Callable[[str], Audio]
) -> None:
    engine = load(models_dir)
    batch = prepared(engine, [voice(name) for name in NAMES])
    found: list[Worked] = []
    call = threading.Thread(target=lambda: found.append(engine.recognise(batch)))
    call.start()
    with engine._changed:
        assert engine._changed.wait_for(lambda: engine._calls == 1 or found, timeout=5.0)

    engine.unload()
    call.join()

    assert "young man" in recognised(found[0])[NAMES.index(TWICE)].text
    assert not engine._whisper.model.model_is_loaded


def test_an_unloaded_model_recognises_nothing(models_dir: Path) -> None:
    engine = load(models_dir)
    assert engine.memory_bytes > 10_000_000
    batch = prepared(engine, [noise(1.0)])
    engine.unload()

    with pytest.raises(RuntimeError):
        engine.recognise(batch)
