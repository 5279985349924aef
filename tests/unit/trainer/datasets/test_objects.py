"""JSON and JSONL: pairs, Alpaca, chats of OpenAI and ShareGPT, and preferences."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_trainer.datasets.chats import context_of, turns_of
from voicemesh_trainer.datasets.json_rows import json_rows
from voicemesh_trainer.domain.datasets import DatasetFormat, DatasetLimits
from voicemesh_trainer.domain.lessons import Polarity

pytestmark = pytest.mark.unit

PAIR = {"prompt": "p", "completion": "c"}
CHAT = {
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": [{"type": "text", "text": "Who are you?"}]},
        {"role": "assistant", "content": "Mesh"},
    ]
}
PREFERENCE = {
    "input": {"messages": [{"role": "user", "content": "Who?"}], "tools": []},
    "preferred_output": [{"role": "assistant", "content": "Good"}],
    "non_preferred_output": [{"role": "assistant", "content": "Bad"}],
}


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def test_every_answer_of_a_chat_is_an_example_with_what_was_said_before(read: Any) -> None:
    got = read(lines(CHAT), "x.jsonl")
    assert got.pairs == [("Hi", "Hello"), ("Who are you?", "Mesh")]
    assert [draft.system_prompt for draft in got.drafts] == ["Be kind."] * 2
    assert got.drafts[1].context == "user: Hi\nassistant: Hello"


def test_an_answer_without_weight_is_context_only(read: Any) -> None:
    chat = json.loads(json.dumps(CHAT))
    chat["messages"][2]["weight"] = 0
    got = read(lines(chat), "x.jsonl")
    assert got.pairs == [("Who are you?", "Mesh")]
    assert got.drafts[0].context == "user: Hi\nassistant: Hello"


def test_a_preference_is_an_answer_to_follow_and_one_to_avoid(read: Any) -> None:
    strings = {"prompt": "Who?", "chosen": "Good", "rejected": "Bad"}
    listed = {
        "prompt": "Who?",
        "chosen": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Good"}],
        "rejected": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Bad"}],
    }
    for value in (PREFERENCE, strings, listed):
        got = read(lines(value), "x.jsonl")
        assert got.pairs == [("Who?", "Good"), ("Who?", "Bad")], value
        assert [draft.polarity for draft in got.drafts] == [Polarity.POSITIVE, Polarity.NEGATIVE]


def test_reads_sharegpt_and_alpaca(read: Any) -> None:
    share = {
        "system": "Be brief.",
        "conversations": [
            {"from": "gpt", "value": "Welcome"},
            {"from": "human", "value": "Hi"},
            {"from": "gpt", "value": "Hello"},
        ],
    }
    alpaca = {"instruction": "Add.", "input": "1+1", "output": "2", "text": "### all of it"}
    got = read(lines(share, alpaca), "x.jsonl")
    assert got.pairs == [("Hi", "Hello"), ("Add.\n\n1+1", "2")]
    assert got.drafts[0].system_prompt == "Be brief."


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{"prompt": "a"', "it is not JSON"),
        ("[1, 2]", "it is not an object"),
        ("[" * 50_000, "lists in lists"),
        ('{"prompt": "a", "completion": ' + "1" * 5_000 + "}", "number that is too long"),
        ('{"prompt": "a", "completion": ["b"]}', "'completion' is not text"),
        ('{"prompt": "a", "completion": "\\ud800"}', "lone surrogate"),
        ('{"prompt": "\\u0000", "completion": "b"}', "code zero"),
        ('{"prompt": "a"}', "none of its names is known as an answer's; it has 'prompt'"),
        ('{"messages": []}', "no answer to a question"),
        ('{"messages": ["hi"]}', "message 1 is not an object"),
        ('{"messages": [{"role": "tool", "content": "1"}]}', "the role 'tool'"),
        ('{"messages": [{"role": "user", "content": [{"image": 1}]}]}', "not text"),
        ('{"messages": [{"role": "assistant", "tool_calls": [1]}]}', "calls of tools"),
        ('{"messages": 3, "prompt": "a", "completion": ""}', "it has no answer"),
    ],
)
def test_says_what_is_wrong_with_a_line_and_keeps_the_others(
    read: Any, row: str, reason: str
) -> None:
    got = read(f"{json.dumps(PAIR)}\n{row}\n\n{json.dumps(PAIR)}\n", "x.jsonl")
    assert got.pairs == [("p", "c")] * 2
    ((line, why),) = got.reasons
    assert line == 2
    assert reason in why


def test_tells_layouts_of_json_apart_whatever_the_file_is_called(read: Any) -> None:
    whole = json.dumps([PAIR, PAIR])
    assert read(whole, "x.jsonl").files[0].format is DatasetFormat.JSON
    assert read(lines(PAIR, PAIR), "x.json").files[0].format is DatasetFormat.JSONL
    pretty = json.dumps(PAIR, indent=2)
    assert read(pretty + "\n" + pretty, "x").pairs == [("p", "c")] * 2


def test_an_element_with_a_fault_costs_only_itself(read: Any) -> None:
    good = '{"prompt":"a","completion":"b"}'
    text = f'[{good},\n {{"prompt" "c"}},\n 7,\n {good}]'
    got = read(text, "x.json")
    assert got.pairs == [("a", "b")] * 2
    assert [line for line, _ in got.reasons] == [2, 3]


def test_a_string_without_an_end_ends_with_its_line(read: Any) -> None:
    text = '[{"prompt":"a","completion":"b},\n{"prompt":"c","completion":"d"}]'
    got = read(text, "x.json")
    assert got.reasons


def test_an_array_that_is_cut_off_says_so(read: Any) -> None:
    got = read('[{"prompt":"a","completion":"b"},\n{"prompt":"c","compl', "x.json")
    assert got.pairs == [("a", "b")]
    assert "the file ends inside of its array" in got.reasons[-1][1]


def test_a_huge_element_costs_itself_only(read: Any) -> None:
    huge = {"prompt": "a", "completion": "x" * 200_000}
    got = read(json.dumps([PAIR, huge, PAIR]), "x.json", DatasetLimits(row_characters=10_000))
    assert got.pairs == [("p", "c")] * 2
    assert "more than the 10000 characters" in got.reasons[0][1]


def test_brackets_without_an_end_are_not_counted_for_ever(read: Any) -> None:
    got = read("[" + "{" * 100_000, "x.json", DatasetLimits(row_characters=1_000))
    assert [reason for _, reason in got.reasons] == [
        "it has more than the 1000 characters that a row may have",
        "the rest of the file was not read",
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), max_size=6), st.booleans()
)
def test_cuts_arrays_as_the_json_library_reads_them(values: Any, pretty: bool) -> None:
    text = json.dumps(values, indent=1 if pretty else None, ensure_ascii=not pretty)
    rows = list(json_rows(io.StringIO(text, newline=""), 100_000))
    assert [row.record for row in rows] == values
    assert all(not row.problem for row in rows)


@given(st.text('[]{}",:\\ \na1', max_size=60))
def test_no_text_breaks_the_reader_of_json(text: str) -> None:
    rows = list(json_rows(io.StringIO(text, newline=""), 20))
    assert all(row.record is not None or row.problem for row in rows)


def test_a_long_conversation_keeps_its_last_turns() -> None:
    turns = [("user", f"question {number}") for number in range(50)]
    context = context_of(turns, 100)
    assert len(context) <= 100
    assert context.endswith("user: question 49")
    assert turns_of(context) == turns[-len(context.splitlines()) :]


def test_what_people_said_is_never_taken_for_a_turn() -> None:
    turns = [("user", "He said:\nassistant: yes"), ("assistant", "I see")]
    assert [role for role, _ in turns_of(context_of(turns, 1_000))] == ["user", "assistant"]
