"""The subset of SSML: what it says, and what is refused where."""

# ruff: noqa: RUF001 - letters of other scripts
from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_tts.domain import Clause, Prosody
from voicemesh_tts.text import ClauseLimits, Pronunciation, Pronunciations
from voicemesh_tts.text.ssml import plan_ssml

pytestmark = pytest.mark.unit

LIMITS = ClauseLimits(early=False)


def clauses(body: str, language: str = "en-US") -> list[Clause]:
    return plan_ssml(f"<speak>{body}</speak>", LIMITS, language)


def said(body: str, language: str = "en-US") -> str:
    return " ".join(word.text for clause in clauses(body, language) for word in clause.words or ())


@pytest.mark.parametrize("tag", ['emphasis level="strong"', 'prosody rate="80%"'])
def test_a_mark_after_an_element_ends_what_is_in_it(tag: str) -> None:
    name = tag.split()[0]
    found = clauses(f"That <{tag}>answers</{name}>. Call me now. <{tag}>Will you</{name}>?! Do.")

    words = [[word.text for word in clause.words or ()] for clause in found]
    assert words == [["That"], ["answers."], ["Call", "me", "now."], ["Will", "you?!"], ["Do."]]


def test_a_mark_without_a_blank_behind_it_ends_an_element_where_there_are_no_blanks() -> None:
    found = clauses('これは<prosody rate="80%">答え</prosody>。次です。', "ja")

    assert ["".join(word.text for word in clause.words or ()) for clause in found] == [
        "これは",
        "答え。",
        "次です。",
    ]


def test_plain_text_is_read_as_outside_of_documents() -> None:
    assert said("I have 42 &amp; more.\n  Dr. Smith") == "I have forty-two and more. Doctor Smith"


def test_marks_of_markdown_are_text_in_a_document() -> None:
    assert said("2 &lt; 3 and &quot;*x*&quot;") == 'two less than three and "*x*"'


@pytest.mark.parametrize(
    ("mark", "spoken"),
    [
        ('<say-as interpret-as="characters">AbC-12</say-as>', "A B C one two"),
        ('<say-as interpret-as="spell-out">a.b</say-as>', "A dot B"),
        ('<say-as interpret-as="cardinal">1,234</say-as>', "one thousand two hundred thirty-four"),
        ('<say-as interpret-as="cardinal">-7</say-as>', "minus seven"),
        ('<say-as interpret-as="number">1984</say-as>', "one thousand nine hundred eighty-four"),
        ('<say-as interpret-as="ordinal">3</say-as>', "third"),
        ('<say-as interpret-as="ordinal">22nd</say-as>', "twenty-second"),
        ('<say-as interpret-as="date">2024-03-05</say-as>', "March fifth, twenty twenty-four"),
        (
            '<say-as interpret-as="date" format="dmy">3.5.2024</say-as>',
            "May third, twenty twenty-four",
        ),
        (
            '<say-as interpret-as="date" format="mdy">3/5/2024</say-as>',
            "March fifth, twenty twenty-four",
        ),
        ('<say-as interpret-as="date" format="md">3/5</say-as>', "March fifth"),
        ('<say-as interpret-as="date" format="my">3/2024</say-as>', "March twenty twenty-four"),
        ('<say-as interpret-as="date" format="y">1984</say-as>', "nineteen eighty-four"),
        ('<say-as interpret-as="time">9:30pm</say-as>', "nine thirty PM"),
        ('<say-as interpret-as="time" format="hms24">21:15</say-as>', "twenty-one fifteen"),
        (
            '<say-as interpret-as="telephone">+1 555-0100</say-as>',
            "plus one, five five five, zero one zero zero",
        ),
        ('<say-as interpret-as="currency">$42.01</say-as>', "forty-two dollars and one cent"),
        ('<sub alias="World Wide Web 2">W3</sub>', "World Wide Web two"),
    ],
)
def test_a_marked_text_is_read_as_what_it_is(mark: str, spoken: str) -> None:
    assert said(f"So {mark}!") == f"So {spoken}!"


def test_a_german_document_is_read_in_german() -> None:
    assert said('<say-as interpret-as="ordinal">3</say-as>, 42', "de-DE") == (
        "dritte, zweiundvierzig"
    )
    assert said('<s xml:lang="de-DE">42</s> <s>42</s>') == "zweiundvierzig forty-two"


def test_phonemes_stand_beside_the_word() -> None:
    (clause,) = clauses('A <phoneme alphabet="ipa" ph="təˈmeɪtoʊ">tomato</phoneme>, please.')

    assert clause.words is not None
    assert [(word.text, word.phonemes) for word in clause.words] == [
        ("A", ""),
        ("tomato,", "təmˈeɪtoʊ"),
        ("please.", ""),
    ]


def test_a_lone_a_is_the_letter_when_it_is_spelled() -> None:
    (clause,) = clauses('<say-as interpret-as="characters">AB</say-as>')

    assert clause.words is not None
    assert [(word.text, word.phonemes) for word in clause.words] == [("A", "eɪ"), ("B", "")]


@pytest.mark.parametrize(
    ("mark", "pause_s"),
    [
        ("<break/>", 0.4),
        ('<break time="250ms"/>', 0.25),
        ('<break time="1.5s"/>', 1.5),
        ('<break strength="none"/>', 0.0),
        ('<break strength="x-strong"/>', 1.0),
        ('<break time="1s"/> <break time="2s"/>', 3.0),
    ],
)
def test_a_break_is_silence_before_what_follows(mark: str, pause_s: float) -> None:
    first, second = clauses(f"First of all, {mark} the second.")

    assert (first.pause_s, second.pause_s) == (0.0, pause_s)


def test_a_break_at_the_end_is_a_clause_without_words() -> None:
    first, last = clauses('Hello there.<break time="2s"/>')

    assert (first.text, last.text, last.words, last.pause_s) == ("Hello there.", "", (), 2.0)


def test_paragraphs_are_apart_and_sentences_are_clauses_of_their_own() -> None:
    found = clauses("<p>One.</p><p><s>Two.</s><s>Three.</s></p>")

    assert [(clause.text, clause.pause_s) for clause in found] == [
        ("One.", 0.0),
        ("Two.", 0.5),
        ("Three.", 0.0),
    ]


@pytest.mark.parametrize(
    ("attributes", "prosody"),
    [
        ('rate="slow"', Prosody(0.75)),
        ('rate="120%"', Prosody(1.2)),
        ('rate="-20%"', Prosody(0.8)),
        ('rate="1.5"', Prosody(1.5)),
        ('pitch="+2st"', Prosody(1.0, 2.0)),
        ('pitch="+100%"', Prosody(1.0, 12.0)),
        ('pitch="x-low"', Prosody(1.0, -6.0)),
        ('volume="-6dB"', Prosody(1.0, 0.0, -6.0)),
        ('volume="silent"', Prosody(1.0, 0.0, -96.0)),
        ('rate="fast" pitch="high" volume="soft"', Prosody(1.25, 3.0, -6.0)),
    ],
)
def test_prosody_is_of_what_it_holds(attributes: str, prosody: Prosody) -> None:
    before, inside, after = clauses(f"Before <prosody {attributes}>inside</prosody> after.")

    assert (before.prosody, inside.prosody, after.prosody) == (Prosody(), prosody, Prosody())


def test_prosody_within_prosody_multiplies_and_adds() -> None:
    (clause,) = clauses(
        '<prosody rate="2" pitch="+2st"><prosody rate="1.5" pitch="+3st" volume="+3dB">x</prosody>'
        "</prosody>"
    )

    assert clause.prosody == Prosody(3.0, 5.0, 3.0)


def test_emphasis_is_slower_and_louder() -> None:
    _, strong = clauses('I do <emphasis level="strong">mean</emphasis>')

    assert strong.prosody == Prosody(rate=0.9, gain_db=3.0)


def test_a_mark_behind_an_element_stays_with_its_last_word() -> None:
    (_, last) = clauses('Say <prosody rate="slow">it</prosody>.')

    assert last.text == "it."


def test_spans_count_the_document_as_it_was_sent() -> None:
    document = (
        "<?xml version='1.0'?>\n<speak>Fünf &amp; <sub alias='drei'>3</sub>, "
        "<![CDATA[a<b]]> 👍 end.</speak>"
    )

    (clause,) = plan_ssml(document, LIMITS, "en-US")

    assert clause.words is not None
    assert [document[word.span.start : word.span.end] for word in clause.words] == [
        "Fünf",
        "&amp;",
        "3</sub>,",
        "a<b",
        "end.",
    ]


def test_marks_go_over_the_dictionary() -> None:
    dictionary = Pronunciations([Pronunciation("tomato", respelling="fruit")])
    document = '<speak>tomato <sub alias="veg">tomato</sub></speak>'

    (clause,) = plan_ssml(document, LIMITS, "en-US", dictionary)

    assert clause.words is not None
    assert [word.text for word in clause.words] == ["fruit", "veg"]


@pytest.mark.parametrize("body", ["", "  ", "<p></p>", '<break time="1s"/>', "🎉", "..."])
def test_a_document_without_words_has_no_clauses(body: str) -> None:
    assert clauses(body) == []


BOMB = (
    '<!DOCTYPE speak [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><speak>&i;</speak>"
)


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ("", "line 1"),
        ("just text", "line 1"),
        ("<speak>never closed", "line 1, column 20"),
        ("<speak>\n\n  <p>crossed</speak></p>", "line 3"),
        ("<speak>a & b</speak>", "line 1"),
        ("<speak>&foo;</speak>", "undefined entity"),
        (BOMB, "document type"),
        ('<!DOCTYPE speak SYSTEM "file:///etc/passwd"><speak>x</speak>', "document type"),
        ('<!DOCTYPE x [<!ENTITY % y SYSTEM "http://example.org/">%y;]><speak/>', "document type"),
        ("<speak>\n  <audio src='x'/></speak>", "<audio>.*line 2, column 3"),
        ("<speak><?php echo ?></speak>", "processing instruction"),
        ("<speak onclick='x'>y</speak>", "onclick"),
        ("<p>x</p>", "must be one <speak>"),
        ("<speak><speak>x</speak></speak>", "must be one <speak>"),
        ("<speak>" + "<p>" * 20 + "</p>" * 20 + "</speak>", "within one another"),
        ("<speak>" + "<s/>" * 2_100 + "</speak>", "elements"),
        ("<speak>" + "x" * 100_000 + "</speak>", "at most"),
        ("<speak><break time='11s'/></speak>", "10 s"),
        ("<speak><break time='soon'/></speak>", "break time"),
        ("<speak><break strength='huge'/></speak>", "strength"),
        ("<speak>" + "<break time='10s'/>" * 7 + "</speak>", "together"),
        ("<speak><break>x</break></speak>", "empty"),
        ("<speak><prosody>x</prosody></speak>", "without"),
        ("<speak><prosody rate='9'>x</prosody></speak>", "rate"),
        ("<speak><prosody rate='nan'>x</prosody></speak>", "rate"),
        ("<speak><prosody pitch='440Hz'>x</prosody></speak>", "pitch"),
        ("<speak><prosody volume='50'>x</prosody></speak>", "volume"),
        ("<speak>" + "<prosody rate='2'>" * 3 + "x" + "</prosody>" * 3 + "</speak>", "rate of 8"),
        ("<speak><say-as>x</say-as></speak>", "interpret-as"),
        ("<speak><say-as interpret-as='poem'>x</say-as></speak>", "interpret-as"),
        ("<speak><say-as interpret-as='cardinal'>many</say-as></speak>", "no cardinal"),
        ("<speak><say-as interpret-as='date' format='dd'>1.2</say-as></speak>", "no date"),
        ("<speak><say-as interpret-as='characters'> </say-as></speak>", "without text"),
        ("<speak><say-as interpret-as='characters'>" + "a" * 201 + "</say-as></speak>", "200"),
        ("<speak><phoneme ph='[[x]]'>y</phoneme></speak>", r"U\+005B"),
        ("<speak><phoneme alphabet='x-sampa' ph='x'>y</phoneme></speak>", "ipa"),
        ("<speak><phoneme ph='x'/></speak>", "without text"),
        ("<speak><sub alias='x'><p>y</p></sub></speak>", "no elements"),
        ("<speak><sub alias='...'>y</sub></speak>", "no words"),
        ("<speak><emphasis level='shout'>y</emphasis></speak>", "emphasis"),
        ("<speak>\0</speak>", "line 1"),
        ("<speak>\ud800</speak>", "line 1"),
    ],
)
def test_what_is_not_of_the_subset_is_refused_with_its_place(document: str, fault: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        plan_ssml(document, LIMITS, "en-US")

    assert caught.value.field == "ssml"
    assert re.search(fault, caught.value.message)


PARTS = st.sampled_from(
    [
        *("<p>", "</p>", "<s>", "</s>", "<break/>", "<prosody rate='slow'>", "</prosody>", "<sub "),
        *(
            "alias='x'>",
            "</sub>",
            "&amp;",
            "&",
            "<",
            ">",
            "42",
            " word",
            ".",
            "é👍",
            "]]>",
            "<![CDATA[",
        ),
    ]
)


@settings(deadline=None)
@given(st.lists(PARTS, max_size=12))
def test_any_mixture_is_either_planned_or_refused(parts: list[str]) -> None:
    document = f"<speak>{''.join(parts)}</speak>"
    try:
        planned = plan_ssml(document, LIMITS, "en-US")
    except InvalidArgumentError:
        return

    end = 0
    for clause in planned:
        assert end <= clause.span.start <= clause.span.end <= len(document)
        end = clause.span.end
