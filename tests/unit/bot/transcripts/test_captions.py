"""Captions: certain words, in place, and no oftener than Discord takes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_bot.transcripts.captions import CaptionEdit, CaptionOptions, Captions

pytestmark = pytest.mark.unit


def shown(captions: Captions, wall: dict[int, str], now_s: float = 0.0) -> dict[int, str]:
    """Carries all edits out, each when it is due, and returns what can be read."""
    while (due_s := captions.due_s()) is not None:
        now_s = max(now_s, due_s)
        edit = captions.take(now_s)
        assert edit is not None
        wall[edit.page] = edit.content
        if not edit.content:
            del wall[edit.page]
    return wall


def test_certain_words_grow_in_place() -> None:
    captions, wall = Captions(), dict[int, str]()

    captions.note_words("1", "Ann", 1, 0, "the cat")
    assert shown(captions, wall) == {1: "**Ann:** the cat"}
    captions.note_words("1", "Ann", 1, 1, "the cat sat")
    assert shown(captions, wall) == {1: "**Ann:** the cat sat"}
    captions.note_final("1", "Ann", 1, "The cat sat.")
    assert shown(captions, wall) == {1: "**Ann:** The cat sat."}


def test_nothing_is_shown_before_a_word_is_certain() -> None:
    captions = Captions()

    captions.note_words("1", "Ann", 1, 0, "")

    assert captions.due_s() is None
    assert captions.take(0.0) is None


def test_lines_stand_in_the_order_in_which_they_began() -> None:
    captions = Captions()

    captions.note_words("1", "Ann", 1, 0, "so")
    captions.note_words("2", "Ben", 1, 0, "well")
    captions.note_final("2", "Ben", 1, "well then")
    captions.note_words("1", "Ann", 1, 0, "so it is")

    assert shown(captions, {}) == {1: "**Ann:** so it is\n**Ben:** well then"}


def test_edits_are_spaced_and_what_came_meanwhile_goes_into_one() -> None:
    captions = Captions(CaptionOptions(interval_s=1.0))
    captions.note_words("1", "Ann", 1, 0, "one")
    assert captions.take(10.0) == CaptionEdit(1, "**Ann:** one")

    captions.note_words("1", "Ann", 1, 0, "one two")
    captions.note_words("1", "Ann", 1, 0, "one two three")

    assert captions.due_s() == 11.0
    assert captions.take(10.99) is None
    assert captions.take(11.0) == CaptionEdit(1, "**Ann:** one two three")
    assert captions.take(20.0) is None
    assert captions.due_s() is None


def test_an_older_revision_does_not_replace_a_newer_one() -> None:
    captions, wall = Captions(), dict[int, str]()

    captions.note_words("1", "Ann", 1, 2, "one two")
    captions.note_words("1", "Ann", 1, 1, "one")

    assert shown(captions, wall) == {1: "**Ann:** one two"}


def test_what_turned_out_to_be_noise_is_taken_back() -> None:
    captions, wall = Captions(), dict[int, str]()
    captions.note_words("1", "Ann", 1, 0, "mhm")
    captions.note_final("2", "Ben", 1, "yes")
    shown(captions, wall)

    captions.drop("1", 1)
    assert shown(captions, wall) == {1: "**Ben:** yes"}

    captions.note_words("1", "Ann", 2, 0, "uh")
    captions.note_final("1", "Ann", 2, " ")
    assert shown(captions, wall) == {1: "**Ben:** yes"}


def test_a_message_of_which_nothing_is_left_is_deleted_and_may_come_again() -> None:
    captions, wall = Captions(), dict[int, str]()
    captions.note_words("1", "Ann", 1, 0, "mhm")
    assert shown(captions, wall) == {1: "**Ann:** mhm"}

    captions.drop("1", 1)
    assert captions.take(99.0) == CaptionEdit(1, "")
    captions.note_final("1", "Ann", 2, "now then")
    assert shown(captions, {}, 100.0) == {1: "**Ann:** now then"}


def test_what_was_taken_back_before_it_was_shown_costs_no_edit() -> None:
    captions = Captions()

    captions.note_words("1", "Ann", 1, 0, "mhm")
    captions.drop("1", 1)

    assert captions.due_s() is None


def test_names_and_words_are_no_markup() -> None:
    captions = Captions()

    captions.note_final("1", "*Ann*\n# x", 1, "<@1> [a](b) @everyone `x` _y_")

    (content,) = shown(captions, {}).values()
    assert content == (r"**\*Ann\* # x:** \<\@1\> \[a](b) \@everyone \`x\` \_y\_")


def test_a_full_message_is_followed_by_the_next() -> None:
    captions, wall = Captions(CaptionOptions(page_characters=1000)), dict[int, str]()

    for turn in range(1, 12):
        captions.note_final("1", "Ann", turn, f"turn {turn} " + "word " * 30)
        shown(captions, wall)

    assert len(wall) > 2
    assert sorted(wall) == list(range(1, len(wall) + 1))
    assert all(len(content) <= 1000 for content in wall.values())
    rows = [row for number in sorted(wall) for row in wall[number].split("\n")]
    assert [row.split()[2] for row in rows] == [str(turn) for turn in range(1, 12)]


def test_a_long_turn_goes_on_in_further_pieces_and_none_of_its_words_is_lost() -> None:
    captions, wall = Captions(), dict[int, str]()
    words = [f"word{number}" for number in range(900)]

    for count in range(10, 901, 10):
        captions.note_words("1", "Ann", 1, 0, " ".join(words[:count]))
        shown(captions, wall)
    captions.note_final("1", "Ann", 1, " ".join(words))
    shown(captions, wall)

    text = "\n".join(wall[number] for number in sorted(wall))
    assert text.replace("**Ann:** ", "").split() == words
    assert all(len(content) <= 2000 for content in wall.values())


def test_a_turn_that_never_ends_does_not_keep_others_from_being_shown() -> None:
    captions = Captions(CaptionOptions(interval_s=1.0, page_characters=400))
    seen = []
    captions.note_final("2", "Ben", 1, "quick")
    captions.note_words("1", "Ann", 1, 0, "one")
    for now_s in range(20):
        captions.note_words("2", "Ben", 2, 0, "and so on " * (now_s + 1))
        captions.note_words("1", "Ann", 1, 0, "one " * (now_s + 1))
        edit = captions.take(float(now_s))
        assert edit is not None
        seen.append(edit.page)

    assert {1, 2} <= set(seen[:4])
    assert len(set(seen[-4:])) > 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from("123"),
            st.integers(1, 4),
            st.integers(0, 3),
            st.text("ab *_\\<小\n", max_size=700),
            st.sampled_from(["words", "final", "drop", "take"]),
        ),
        max_size=60,
    )
)
def test_whatever_is_said_messages_fit_and_in_the_end_all_is_shown(
    steps: list[tuple[str, int, int, str, str]],
) -> None:
    captions, wall, now_s = Captions(), dict[int, str](), 0.0
    for speaker, turn_id, revision, text, kind in steps:
        now_s += 0.5
        if kind == "words":
            captions.note_words(speaker, speaker * 40, turn_id, revision, text)
        elif kind == "final":
            captions.note_final(speaker, speaker * 40, turn_id, text)
        elif kind == "drop":
            captions.drop(speaker, turn_id)
        elif (edit := captions.take(now_s)) is not None:
            assert edit.content or edit.page in wall
            wall[edit.page] = edit.content
            if not edit.content:
                del wall[edit.page]
    shown(captions, wall, now_s)
    assert all(0 < len(content) <= 2000 for content in wall.values())
    assert captions.due_s() is None


@pytest.mark.parametrize(
    "wrong",
    [{"interval_s": -1.0}, {"page_characters": 2001}, {"page_characters": 10}, {"pages": 0}],
)
def test_options_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CaptionOptions(**wrong)  # type: ignore[arg-type]
