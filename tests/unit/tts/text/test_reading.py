"""Numbers, dates, sums and the like in words, by language."""

from __future__ import annotations

import pytest

from voicemesh_tts.text import words_of

pytestmark = pytest.mark.unit


def said(written: str, language: str) -> str:
    return " ".join(word.text for word in words_of(written, 0, language))


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("It is 42.", "It is forty-two."),
        ("3.14 and .5", "three point one four and point five"),
        (
            "1,234,567.89",
            "one million two hundred thirty-four thousand five hundred sixty-seven "
            "point eight nine",
        ),
        ("at -5 degrees, +7", "at minus five degrees, plus seven"),
        ("1st, 2nd, 3rd, 21st", "first, second, third, twenty-first"),
        ("in 1984 and 2005", "in nineteen eighty-four and two thousand five"),
        ("the 1990s and '80s", "the nineteen nineties and eighties"),
        ("1990-95", "nineteen ninety to ninety-five"),
        ("pages 5–7, 5-10 kg", "pages five to seven, five to ten kilograms"),
        (
            "007 or 1234567890",
            "zero zero seven or one two three four five six seven eight nine zero",
        ),
        ("10k and 2.5k", "ten thousand and two thousand five hundred"),
        ("1/2 cup, 1 3/4 or ½", "one half cup, one and three quarters or one half"),
        ("24/7 and/or more", "twenty-four seven and or more"),
        ("2 + 2 = 4, 3 × 5", "two plus two equals four, three times five"),
        ("AT&T, R & D", "AT and T, R and D"),
        ("#5 of No. 7", "number five of number seven"),
        ("MP3, 3D, x86", "MP three, three D, x eighty-six"),
        ("COVID-19", "COVID-nineteen"),
        ("10²", "ten squared"),
        ("1,2,3 go", "one, two, three go"),
        ("v1.2.3", "v one point two point three"),
        ("C++, C#", "C++, C#"),
        ("at 16:9, 6'2, ~20", "at sixteen nine, six two, twenty"),
        ("x = 3, y==4", "x equals three, y equals four"),
        ("ISBN 978-3-16", "ISBN nine seven eight, three, one six"),
    ],
)
def test_english_numbers(written: str, spoken: str) -> None:
    assert said(written, "en-US") == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("March 5, 2024", "March fifth, twenty twenty-four"),
        ("5 March 2024", "the fifth of March twenty twenty-four"),
        ("the 5th of March", "the fifth of March"),
        ("Jan. 3rd", "January third"),
        ("2024-03-05", "March fifth, twenty twenty-four"),
        ("3/5/2024", "March fifth, twenty twenty-four"),
        ("13/5/2024", "May thirteenth, twenty twenty-four"),
        ("2024-13-40", "two zero two four, one three, four zero"),
        ("1.2.24", "one point two point twenty-four"),
        ("12:30", "twelve thirty"),
        ("9:05 pm", "nine oh five PM"),
        ("at 9am.", "at nine AM."),
        ("9:00", "nine o'clock"),
        ("21:00", "twenty-one hundred"),
        ("9:00-10:30", "nine o'clock to ten thirty"),
        ("5 p.m. He left at 5 p.m.", "five PM. He left at five PM."),
        ("10 a.m. EST, 9am–5pm", "ten AM EST, nine AM to five PM"),
        ("you may 5 times", "you may five times"),
    ],
)
def test_english_dates_and_times(written: str, spoken: str) -> None:
    assert said(written, "en-US") == spoken


def test_the_order_of_a_date_is_the_country_s() -> None:
    assert said("3/5/2024", "en-GB") == "the third of May twenty twenty-four"


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("$5", "five dollars"),
        ("$1", "one dollar"),
        ("$3.50", "three dollars and fifty cents"),
        ("£0.50", "fifty pence"),
        ("-$5", "minus five dollars"),
        ("$1.2 million", "one point two million dollars"),
        ("$5k, $3M", "five thousand dollars, three million dollars"),
        ("20 CHF", "twenty Swiss francs"),
        ("€5.", "five euros."),
        ("50%", "fifty percent"),
        ("20 °C", "twenty degrees Celsius"),
        ("-5°C, +5 °C", "minus five degrees Celsius, plus five degrees Celsius"),
        ("5 km, 1 km", "five kilometers, one kilometer"),
        ("60 km/h", "sixty kilometers per hour"),
        ("16GB at 3.5 GHz", "sixteen gigabytes at three point five gigahertz"),
        ("6 ft, 10 lbs", "six feet, ten pounds"),
        ("5 in 10", "five in ten"),
        ("5G", "five G"),
    ],
)
def test_english_sums_and_measures(written: str, spoken: str) -> None:
    assert said(written, "en-US") == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Dr. Smith, etc.", "Doctor Smith, et cetera."),
        ("e.g. this, i.e. that", "for example this, that is that"),
        ("St. John lives in Main St.", "Saint John lives in Main Street."),
        ("Fig. 3 on p. 5", "figure three on page five"),
        ("btw, idk", "by the way, I don't know"),
        ("me@mail.example.org", "me at mail dot example dot org"),
        ("Go to https://www.example.org/a?b=c.", "Go to example dot org."),
        ("see example.com, main.py", "see example dot com, main dot py"),
        ("192.168.0.1", "one hundred ninety-two dot one hundred sixty-eight dot zero dot one"),
        (
            "Call +1 555 010 9999",
            "Call plus one, five five five, zero one zero, nine nine nine nine",
        ),
        ("(555) 123-4567", "five five five, one two three, four five six seven"),
        ("on <t:1700000000:D>", "on November fourteenth, twenty twenty-three"),
    ],
)
def test_english_abbreviations_and_addresses(written: str, spoken: str) -> None:
    assert said(written, "en-US") == spoken


# Other languages follow.
@pytest.mark.parametrize(
    ("language", "written", "spoken"),
    [
        (
            "de-DE",
            "Am 3. Oktober 2024 um 12:30 Uhr, z. B. 1.234,5 km",
            "Am dritten Oktober zweitausendvierundzwanzig um zwölf Uhr dreißig, zum Beispiel "
            "eintausendzweihundertvierunddreißig Komma fünf Kilometer",
        ),
        ("de-DE", "Der 3. Oktober, 1 km", "Der dritte Oktober, ein Kilometer"),
        (
            "de-DE",
            "am 05.03.2024, 3,50 €",
            "am fünften März zweitausendvierundzwanzig, drei Euro fünfzig",
        ),
        (
            "fr-FR",
            "Le 1er mars à 12h30, 50 %",
            "Le premier mars à douze heures trente, cinquante pour cent",
        ),
        ("fr-FR", "1 234,5 et 2e", "mille deux cent trente-quatre virgule cinq et deuxième"),
        (
            "es-ES",
            "El 5 de marzo de 2024, 21 km, Sr. López",
            "El cinco de marzo de dos mil veinticuatro, veintiún kilómetros, señor López",
        ),
        ("it-IT", "alle 12:30, 3,50 €", "alle dodici e trenta, tre euro cinquanta"),
        ("pt-BR", "R$ 3,50 e 50%", "três reais cinquenta e cinquenta por cento"),
        ("nl-NL", "1e keer om 12:30", "eerste keer om twaalf uur dertig"),
        ("sv-SE", "3 mars kl. 12:30", "tredje mars klockan tolv trettio"),
        ("pl-PL", "5 km, 2 km", "pięć kilometrów, dwa kilometry"),
        ("cs-CZ", "3,5 a 42", "tři čárka pět a čtyřicet dva"),
        (
            "ru-RU",
            "3,14 и т. д., 21 км",
            "три запятая один четыре и так далее, двадцать один километр",
        ),
        ("uk-UA", "42", "сорок два"),
        ("tr-TR", "50% ve 5 km", "yüzde elli ve beş kilometre"),
        ("hi-IN", "1,00,000 और ४२", "एक लाख और बयालीस"),
        ("ar-EG", "٤٢", "إثنان وأربعون"),
        ("zh-CN", "2024年3月5日，50%，3.14", "二〇二四年三月五日，百分之五十，三点一四"),
        ("ko-KR", "3월, 50%", "삼월, 오십퍼센트"),
        ("vi-VN", "42", "bốn mươi hai"),
        ("nb-NO", "42", "førtito"),
    ],
)
# English again.
def test_other_languages(language: str, written: str, spoken: str) -> None:
    assert said(written, language) == spoken


@pytest.mark.parametrize("language", ["", "xx", "ja-JP", "tlh", "not a code"])
def test_what_no_words_are_known_for_is_left_to_the_engine(language: str) -> None:
    assert said("42 and 3.14", language) == "42 and 3.14"


@pytest.mark.parametrize(
    "written", ["{}", "${}", "${}.50", "{} km", "{}%", "{}-{}", "1.{}", "{}th"]
)
def test_a_number_beyond_counting_is_read_digit_by_digit(written: str) -> None:
    spoken = said(written.replace("{}", "9" * 400), "en-US")

    assert spoken.count("nine") >= 400


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "part",
    [
        "1",
        "1,",
        "1.2",
        "$1 ",
        "a@",
        "1-2",
        "1/2 ",
        "5. ",
        "a.b.",
        "(555) ",
        "12:",
        "-",
        "www.",
        "1st",
    ],
)
def test_hostile_repetition_takes_no_time_to_speak_of(part: str) -> None:
    said(part * (1_000 // len(part)), "en-US")
