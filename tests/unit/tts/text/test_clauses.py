"""The clause planner, by tables of texts."""

# ruff: noqa: RUF001 - letters of other scripts
from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_tts.text.clauses import ClauseLimits, ClausePlanner, plan

pytestmark = pytest.mark.unit

LATER = ClauseLimits(early=False)


def texts(text: str, limits: ClauseLimits = LATER) -> list[str]:
    return [clause.text for clause in plan(text, limits)]


def first_of(text: str, limits: ClauseLimits, language_code: str = "en") -> str:
    """The first clause of a text that is written word by word, each long after the one before."""
    planner = ClausePlanner(limits, language_code)
    for word in re.findall(r"\S+\s*|\s+", text):
        clauses = planner.feed(word)
        if not clauses and planner.patience_s is not None:
            clauses = planner.lull()
        if clauses:
            return clauses[0].text
    return planner.flush()[0].text


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Well, that depends. It may rain.", "Well, that depends."),
        ("Of course not, my friend, never.", "Of course not,"),
        ("Absolutely! I will do that for you.", "Absolutely!"),
        ("Absolutely: here it is.", "Absolutely:"),
        ("Yesterday evening — or so — it rained.", "Yesterday evening —"),
        ('"Yes, indeed I do," she said.', '"Yes, indeed I do,"'),
        ("It costs 1,234.50 dollars, they say.", "It costs 1,234.50 dollars,"),
        (
            "これはとても長い文なのでここまで、そして続きます。",
            "これはとても長い文なのでここまで、",
        ),
        ("So – to begin with – that depends.", "So – to begin with –"),
        ("It was a - very - good - idea, I think", "It was a - very -"),
        ("สวัสดีครับผมชื่อสมชาย ยินดีที่ได้รู้จักครับ", "สวัสดีครับผมชื่อสมชาย"),
        (
            "The gardener cut the hedge while the children played, and it rained.",
            "The gardener cut the hedge while the children played,",
        ),
    ],
)
def test_first_clause_ends_at_the_first_mark(text: str, first: str) -> None:
    assert plan(text, ClauseLimits())[0].text == first


@pytest.mark.parametrize(
    ("text", "first", "language"),
    [
        (
            "one two three four five six seven eight nine",
            "one two three four five six seven eight",
            "",
        ),
        (
            "The tower is visible from every street in the town",
            "The tower is visible from every street",
            "en",
        ),
        ("I asked him to go and see old Dr. Smith again", "I asked him to go", "en"),
        ("a b c d e f g Dr. Smith came here", "a b c d e f g", "en"),
        ("We both have seen old John van Dyke near home", "We both have seen old", "en"),
        (
            "We went there and then drove about 5 km on that day",
            "We went there and then drove",
            "en",
        ),
        (
            "It is said to cost more than $5 million this year",
            "It is said to cost",
            "en",
        ),
        ("Ich möchte heute gern wissen ob der Zug kommt", "Ich möchte heute gern wissen", "de"),
        ("Nous avons bien mangé avec les amis de Paul", "Nous avons bien mangé", "fr-FR"),
        (
            "わたしたちはきのうのよるにみんなでいっしょにでんしゃで東京駅にいきました",
            "わたしたちはきのうのよるにみんなでいっしょにでんしゃで",
            "ja",
        ),
    ],
)
def test_first_clause_without_a_mark_ends_between_phrases(
    text: str, first: str, language: str
) -> None:
    assert first_of(text, ClauseLimits(), language) == first


def test_a_sentence_that_is_there_to_its_end_is_not_cut_without_a_mark() -> None:
    sentence = "The gardener cut the hedge while the children played there."
    planner = ClausePlanner(ClauseLimits(), "en")

    assert planner.feed(sentence) == []
    assert [clause.text for clause in planner.flush()] == [sentence]


def test_the_end_of_a_sentence_is_believed_when_nothing_follows_it_for_long() -> None:
    sentence = "Let me look for that in our books of the last year."
    planner = ClausePlanner(ClauseLimits(), "en")
    planner.feed("Let me look for that in our books of ")
    brief_s = planner.patience_s
    planner.feed("the last year.")
    long_s = planner.patience_s

    assert brief_s is not None
    assert long_s is not None
    assert long_s > brief_s
    assert [clause.text for clause in planner.lull()] == [sentence]


@pytest.mark.parametrize(
    "text",
    ["Not long enough", "A mark, then more of it", "It has been measured and is exactly 3."],
)
def test_nothing_is_spoken_at_a_lull_that_is_not_ripe_for_it(text: str) -> None:
    planner = ClausePlanner(ClauseLimits(), "en")
    spoken = "".join(clause.text for clause in [*planner.feed(text), *planner.lull()])

    assert not spoken.endswith(("enough", "it", "3."))


def test_half_a_link_is_not_spoken_at_a_lull() -> None:
    planner = ClausePlanner(ClauseLimits(), "en")
    planner.feed("You will find all of it there if you call `first. Second")

    (clause,) = planner.lull()

    assert "first" not in clause.text


@pytest.mark.parametrize("cut_at", [1, 7, 100])
def test_a_sentence_without_an_end_in_sight_is_cut_between_phrases(cut_at: int) -> None:
    text = "He said that we should all come and see the new house of his sister in town."
    planner = ClausePlanner(ClauseLimits(), "en")

    clauses = [
        clause
        for start in range(0, len(text), cut_at)
        for clause in planner.feed(text[start : start + cut_at])
    ]

    assert clauses[0].text == "He said that we should all come"


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith and Mrs. Jones met Prof. Brown there.",
        "It was 3.14 at 12:30 on 1.2.2024 in v1.2.3 today.",
        "He came at 5 p.m. yesterday with apples, pears, etc. in a bag.",
        "See https://a.example/b.c?d=e!f for more of it.",
        "Hmm... well… wait for it, my dear.",
        "Use fruit, e.g. apples, i.e. the red ones.",
        "J. R. R. Tolkien wrote it, and No. 5 was best.",
        'He asked "Are you sure?" and left the room.',
        "Write to me@host.example.org tomorrow morning.",
        "What?! No way, I do not believe it.",
        "Das war am 3. Mai im 19. Jahrhundert, z. B. in Berlin.",
        "Bylo to 5. října v Praze a 21. ledna v Brně.",
        "Le Dr. Dupont et M. Martin, p. ex. avec Mme. Durand.",
        "La Sra. López vive aquí, p. ej. con el Sr. García.",
        "See [the docs. All of them](https://a.example/b.) for more.",
        'It is in <a href="x, y. Z">this place</a> here.',
        "Call `first. Second(a, b)` for that.",
    ],
)
def test_marks_within_a_sentence_do_not_end_it(sentence: str) -> None:
    assert texts(f"{sentence} Another sentence follows here.")[0] == sentence


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("This is the first one. This is the second one.", 2),
        ("Yes. No. This one is long enough, though.", 1),
        ("We met at noon at 5 p.m. The sun was still shining.", 2),
        ("It was so good, I thought... Then it rained all day.", 2),
        ("And then there was I. Nobody else came to see it.", 2),
        ("It happened back in 1984. Nobody had expected that.", 2),
        ("A title line without any mark\n\nAnd a paragraph below it.", 2),
        ("Here is my long list of things:\n- the first one of all\n- the second one", 3),
        ("これは最初の文で、本当にとても長いのです。これは二番目の文で、やはり長いのです。", 2),
        ("هل هذا سؤال طويل بما يكفي؟ نعم هذا هو الجواب الطويل.", 2),
        ("पहला वाक्य यहाँ पर समाप्त होता है। दूसरा वाक्य यहाँ पर है।", 2),
        ("यह पहला वाक्य यहाँ समाप्त होता है।और यह दूसरा वाक्य है यहाँ।", 2),
        ("Πού είναι ο σταθμός του τρένου; Είναι εκεί, δίπλα στην πλατεία.", 2),
        ("สวัสดีครับผมชื่อสมชายมาก ยินดีที่ได้รู้จักครับทุกคน", 2),
        ("ខ្ញុំឈ្មោះសុខហើយខ្ញុំមកពីភ្នំពេញ។ខ្ញុំចូលចិត្តរៀនភាសាខ្មែរណាស់។", 2),
        ("The answer that we found is 5. Then we went back home.", 2),
        ("Ich habe heute genau 5. Dann ging ich wieder nach Hause.", 2),
    ],
)
def test_later_clauses_are_whole_sentences(text: str, clauses: int) -> None:
    assert len(texts(text)) == clauses


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Look here:\n```python\nx = 1. y\n```\nThat was it.", ["Look here:", "That was it."]),
        ("```\nonly code\n```", []),
        (
            "1. ```sh\n   make run\n   ```\n2. Talk to it, please, a while.\nThat is all of it.",
            ["1.", "2. Talk to it, please, a while.", "That is all of it."],
        ),
        ("- > ```python title='a.py'\nx\n```\nThat is all of it.", ["- >", "That is all of it."]),
        ("Type:```\nls\n```\nThen wait for it.", ["Type:", "Then wait for it."]),
        (
            "Say ```ls``` now or never.\nThat is all of it.",
            ["Say ```ls``` now or never.", "That is all of it."],
        ),
        ("```never closed. At all. Really not.", []),
        ("Use `print` for that.", ["Use `print` for that."]),
        ("Look here:\n~~~\ncode. More\n~~~\nDone with it.", ["Look here:", "Done with it."]),
    ],
)
def test_blocks_of_code_are_left_out(text: str, spoken: list[str]) -> None:
    assert texts(text) == spoken


@pytest.mark.parametrize(
    "text",
    ["a" * 5_000, "word " * 1_000, "こ" * 3_000, "one, two, three, " * 300, "🎉" * 2_000],
    ids=["one word", "no marks", "no blanks", "no sentences", "emoji"],
)
def test_endless_text_comes_in_bounded_clauses(text: str) -> None:
    spoken = texts(text)

    assert all(len(clause) <= LATER.max_chars for clause in spoken)
    assert "".join("".join(spoken).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "whole",
    [
        "https://example.org/" + "a/b.c,d;" * 60,
        "[" + "some words, and. Others" * 3 + "](https://example.org/" + "x" * 200 + ")",
        "<a:" + "b, c. D" * 20 + ">",
        "`" + "first, second. Third " * 8 + "`",
    ],
    ids=["address", "link", "tag", "code"],
)
@pytest.mark.parametrize("before", ["", "word " * 45], ids=["alone", "after words"])
def test_what_belongs_together_is_never_cut(whole: str, before: str) -> None:
    spoken = texts(f"{before}{whole.strip()} and what comes after it. And more of it here.")

    assert any(whole.rstrip(";.") in clause for clause in spoken)


@pytest.mark.parametrize(
    "text", ["a < b and, well, c", "see [1, or 2", "it`s, fine", "http, or so,"]
)
def test_what_only_looks_like_the_start_of_a_link_is_text(text: str) -> None:
    assert plan(f"Now, here it is: {text} and that was it.", ClauseLimits())[0].text == (
        "Now, here it is:"
    )
    assert "".join(texts(text)) == text


def test_a_forced_cut_prefers_a_mark_and_then_a_blank() -> None:
    assert texts("alpha beta, " * 60)[0].endswith(",")
    assert texts("alpha beta " * 60)[0].split()[-1] in {"alpha", "beta"}


@pytest.mark.parametrize("cluster", ["e\u0301", "👩\u200d👩\u200d👧", "🇩🇪", "👍🏽", "각"])
def test_a_cut_never_tears_a_character(cluster: str) -> None:
    limits = ClauseLimits(max_chars=41, early=False)

    for clause in texts(cluster * 60, limits):
        assert len(clause) % len(cluster) == 0


def test_a_flush_speaks_what_is_unfinished_and_an_early_clause_follows() -> None:
    planner = ClausePlanner(ClauseLimits())

    assert planner.feed("Let me ") == []
    assert [clause.text for clause in planner.flush()] == ["Let me"]
    assert planner.feed("see, well, ") == []
    assert [clause.text for clause in planner.feed("of course, ")] == ["see, well, of course,"]


def test_a_cancel_forgets_text_but_not_places() -> None:
    planner = ClausePlanner(ClauseLimits())
    planner.feed("Forget this")
    planner.cancel()

    (clause,) = planner.feed("Something new, then")

    assert (clause.text, clause.span.start) == ("Something new,", len("Forget this"))


def test_an_unfinished_number_waits_for_its_digits() -> None:
    planner = ClausePlanner(ClauseLimits())

    assert planner.feed("The price is exactly 3.") == []
    assert planner.feed("50 dollars, ") != []


@pytest.mark.parametrize("text", ["", " ", "\n\n\t", "\u3000"])
def test_blank_text_has_no_clauses(text: str) -> None:
    assert plan(text, ClauseLimits()) == []


PIECES = st.lists(
    st.text(
        st.sampled_from("ab AB12.,!?…:;\n—\"')`*-。、é\u0301🎉\u200d🇩 Dr<>[](~–htps/กあ漢ω"),
        min_size=0,
        max_size=12,
    ),
    max_size=40,
)


@given(PIECES)
def test_clauses_do_not_depend_on_how_the_text_was_cut(pieces: list[str]) -> None:
    limits = ClauseLimits(first_letters=4, first_words=3, min_chars=8, max_chars=40)
    planner = ClausePlanner(limits)

    streamed = [clause for piece in pieces for clause in planner.feed(piece)] + planner.flush()

    assert streamed == plan("".join(pieces), limits)


@given(PIECES)
def test_spans_are_in_order_and_say_where_the_text_stands(pieces: list[str]) -> None:
    text = "".join(pieces)
    end = 0
    for clause in plan(text, ClauseLimits()):
        assert clause.span.start >= end
        assert text[clause.span.start : clause.span.end] == clause.text
        end = clause.span.end


@given(st.text(st.sampled_from("ab .,!?…:;\n—\"')é\u0301🎉。"), max_size=200))
def test_every_character_without_code_is_in_a_clause(text: str) -> None:
    spoken = "".join(clause.text for clause in plan(text, ClauseLimits()))

    assert "".join(spoken.split()) == "".join(text.split())
