"""Japanese: kanji to kana as they are pronounced, and kana to Kokoro's symbols."""

# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet

from __future__ import annotations

import threading

import pytest

from voicemesh_tts.engines.kokoro.japanese import Reader, can_read
from voicemesh_tts.engines.kokoro.kana import symbols_of_kana

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def reader() -> Reader:
    assert can_read()
    return Reader()


@pytest.mark.parametrize(
    ("kana", "symbols"),
    [
        ("トーキョー", "toːkʲoː"),
        ("ガッコー", "ɡaʔkoː"),
        ("しんぶん", "ɕimbɯɴ"),
        ("ニンキ", "ɲiŋkʲi"),
        ("シンジュク", "ɕiɲʥɨkɯ"),
        ("オンナ", "onna"),
        ("デンワ", "deɴβa"),
        ("ファイル", "ɸaiɾɯ"),
        ("パーティー", "paːtʲiː"),
        ("ウィンドウ", "βindoɯ"),
        ("クォーツ", "kᵝoːʦɨ"),
        ("チェック", "ʨeʔkɯ"),
        ("ヴァイオリン", "vaioɾʲiɴ"),
        ("フュージョン", "ɸʲɨːʥoɴ"),
        ("ひゃく", "çakɯ"),
        ("あっ", "a"),
        ("ァ", "a"),
        ("abc", ""),
        ("", ""),
    ],
)
def test_kana_become_the_symbols_that_kokoro_has_learnt(kana: str, symbols: str) -> None:
    assert symbols_of_kana(kana) == symbols


@pytest.mark.parametrize(
    ("text", "kana"),
    [
        ("今日は学校へ行きます", "キョー ワ ガッコー エ イキ マス"),
        ("こんにちは", "コンニチワ"),
        ("本を読む", "ホン オ ヨム"),
        ("先生", "センセー"),
        ("大きい", "オーキー"),
        ("と思う", "ト オモウ"),
        ("空気", "クーキ"),
    ],
)
def test_words_are_read_as_they_are_pronounced(reader: Reader, text: str, kana: str) -> None:
    assert " ".join(morpheme.kana for morpheme in reader.read(text)) == kana


def test_what_is_no_japanese_is_left_to_others(reader: Reader) -> None:
    found = reader.read("Discordで、はい。")

    assert [(morpheme.text, bool(morpheme.kana)) for morpheme in found] == [
        ("Discord", False),
        ("で", True),
        ("、", False),
        ("はい", True),
        ("。", False),
    ]


@pytest.mark.parametrize("text", ["", "   ", "\x00\n", "🙂", "\udc80は", "々", "ー" * 20_000])
def test_no_text_is_too_much_for_the_reader(reader: Reader, text: str) -> None:
    reader.read(text)


def test_threads_get_their_own_readings(reader: Reader) -> None:
    texts = [text * 20 for text in ("東京", "大阪", "先生", "学校")]
    alone = [reader.read(text) for text in texts]
    found: dict[int, object] = {}

    def read(number: int) -> None:
        found[number] = reader.read(texts[number])

    threads = [threading.Thread(target=read, args=[number]) for number in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert [found[number] for number in range(len(texts))] == alone
