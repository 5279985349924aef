"""Voices as styles: their files, and blends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_tts.domain import Gender
from voicemesh_tts.engines.kokoro.languages import gender_of
from voicemesh_tts.engines.kokoro.styles import Blend, StyleError, find_styles, read_style

pytestmark = pytest.mark.unit


def table(value: float, rows: int = 510) -> np.ndarray:
    return np.full((rows, 1, 256), value, np.float32)


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    file = tmp_path / "voices.npz"
    np.savez(file, af_one=table(1.0), bm_two=table(2.0), short=table(0.0, rows=10))
    return file


def blend(name: str) -> Blend:
    found = Blend.parse(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("jf_alpha", {"jf_alpha": 1.0}),
        ("a+b", {"a": 0.5, "b": 0.5}),
        ("a*3+b", {"a": 0.75, "b": 0.25}),
        ("a*.7+b*0.3", {"a": 0.7, "b": 0.3}),
        ("a+b+a", {"a": 2 / 3, "b": 1 / 3}),
    ],
)
def test_a_blend_gives_each_style_its_share(name: str, shares: dict[str, float]) -> None:
    assert dict(blend(name).shares) == pytest.approx(shares)


@pytest.mark.parametrize(
    "name",
    [
        *("", "+", "a+", "a*", "a*0", "a*0+b", "a*-1", "a*1e3", "a b", "../a", "a*nan"),
        "a*999+b*0.001",
        "+".join(f"a{number}" for number in range(9)),
    ],
)
def test_what_is_no_blend_is_refused(name: str) -> None:
    assert Blend.parse(name) is None


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z_]{0,5}", fullmatch=True),
        st.integers(1, 999),
        min_size=1,
        max_size=8,
    )
)
def test_the_name_of_a_blend_means_the_same_blend(weights: dict[str, int]) -> None:
    found = Blend.parse("+".join(f"{style}*{weight}" for style, weight in weights.items()))
    if found is None:
        assert min(weights.values()) < 0.001 * sum(weights.values())
        return
    again = Blend.parse(found.name)

    if again is not None:
        assert again.styles == found.styles
        for (_, share), (_, other) in zip(found.shares, again.shares, strict=True):
            assert share == pytest.approx(other, abs=0.006)


def test_even_blends_have_one_name() -> None:
    assert blend("a*2+b*2").name == blend("a+b").name == "a+b"
    assert blend("a*7+b*3").name == "a*0.7+b*0.3"


def test_a_blend_is_the_weighted_mean_of_its_styles(voices: Path) -> None:
    files = find_styles([voices])

    style = read_style(blend("af_one*3+bm_two"), files)

    assert style.shape == (510, 256)
    assert style == pytest.approx(1.25)


def test_styles_are_found_in_several_files_and_damaged_ones_are_left_out(
    voices: Path, tmp_path: Path
) -> None:
    damaged, more = tmp_path / "damaged.npz", tmp_path / "more.npz"
    damaged.write_bytes(b"not a zip")
    np.savez(more, af_one=table(9.0), ef_three=table(3.0))

    files = find_styles([damaged, tmp_path / "absent.npz", voices, more])

    assert files == {"af_one": voices, "bm_two": voices, "short": voices, "ef_three": more}


def test_a_style_that_cannot_be_used_is_named(voices: Path, tmp_path: Path) -> None:
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, evil=np.array([{"a": 1}], dtype=object))
    infinite = tmp_path / "infinite.npz"
    np.savez(infinite, endless=table(np.inf))
    files = find_styles([voices, pickled, infinite])

    for name in ("short", "evil", "endless", "nobody"):
        with pytest.raises(StyleError, match=name):
            read_style(blend(name), files)


def test_a_voice_sounds_as_its_name_says() -> None:
    assert gender_of(["jf_alpha"]) is Gender.FEMALE
    assert gender_of(["jm_kumo", "am_adam"]) is Gender.MALE
    assert gender_of(["jf_alpha", "jm_kumo"]) is Gender.NEUTRAL
    assert gender_of(["jf_alpha", "robot"]) is Gender.UNKNOWN
