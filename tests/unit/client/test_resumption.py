"""After a failure a transcription goes on where it was, waits as asked, and gives up in time."""

from __future__ import annotations

import pytest

from voicemesh_client import (
    DetectedLanguage,
    FileProgress,
    FileSummary,
    NotFoundError,
    OverloadedError,
    RecognitionTimings,
    Segment,
    TlsMismatchError,
    UnavailableError,
)
from voicemesh_client.resumption import Resumption

pytestmark = pytest.mark.unit

GONE = UnavailableError("gone")


def said(start_s: float, end_s: float, channel: int = 0) -> Segment:
    return Segment("Words.", start_s, end_s, 0.9, channel=channel)


def test_the_next_call_begins_where_the_last_segment_ended() -> None:
    resumption = Resumption()

    assert resumption.fresh(said(1, 2.5)) == said(1, 2.5)
    assert resumption.fresh(FileProgress(20, 30)) == FileProgress(20, 30)
    assert resumption.wait_s(GONE) is not None
    assert resumption.offset_s == 2.5


def test_no_segment_comes_twice_though_its_borders_have_moved() -> None:
    resumption = Resumption()
    resumption.fresh(said(1, 2.5))
    resumption.wait_s(GONE)

    assert resumption.fresh(said(2.25, 2.7)) is None
    assert resumption.fresh(said(2.4, 4)) == said(2.4, 4)


def test_segments_of_one_call_are_never_left_out() -> None:
    resumption = Resumption()
    resumption.fresh(said(1, 9))

    assert resumption.fresh(said(2, 3)) == said(2, 3)
    assert resumption.offset_s == 9


def test_channels_go_on_where_all_of_them_are_done() -> None:
    resumption = Resumption(separate_channels=True)
    resumption.fresh(said(0, 3, channel=0))
    resumption.fresh(FileProgress(4, 30))
    resumption.fresh(said(4, 20, channel=0))
    resumption.wait_s(GONE)

    assert resumption.offset_s == 4
    assert resumption.fresh(said(4, 19.9, channel=0)) is None
    assert resumption.fresh(said(5, 6, channel=1)) == said(5, 6, channel=1)
    assert resumption.fresh(said(21, 22, channel=0)) == said(21, 22, channel=0)


def test_channels_go_on_where_none_of_them_was_speaking() -> None:
    resumption = Resumption(separate_channels=True)
    for told in (said(0, 3), said(5, 12), said(8, 9, channel=1), said(11, 20, channel=1)):
        resumption.fresh(told)
    resumption.fresh(FileProgress(15, 30))
    resumption.wait_s(GONE)

    assert resumption.offset_s == 5
    assert [resumption.fresh(each) for each in (said(5, 12.1), said(11, 20, channel=1))] == [
        None,
        None,
    ]
    assert resumption.fresh(said(13, 16)) == said(13, 16)


def test_channels_of_which_one_never_stops_go_on_all_the_same() -> None:
    resumption = Resumption(separate_channels=True)
    for start_s in range(0, 200, 10):
        resumption.fresh(said(start_s, start_s + 11, channel=start_s // 10 % 2))
    resumption.fresh(FileProgress(195, 300))

    assert resumption.offset_s == 195


def test_progress_never_falls_and_is_never_repeated() -> None:
    resumption = Resumption()
    resumption.fresh(FileProgress(10, 60))
    resumption.wait_s(GONE)

    assert resumption.fresh(FileProgress(10, 15)) is None
    assert resumption.fresh(FileProgress(12, 20)) == FileProgress(12, 60)


def test_the_summary_is_told() -> None:
    summary = FileSummary(9, DetectedLanguage("en", 1), "m", RecognitionTimings())

    assert Resumption().fresh(summary) == summary


def test_waits_double_up_to_ten_seconds() -> None:
    resumption = Resumption(retries=7)
    waits = [resumption.wait_s(GONE) for _ in range(8)]

    assert waits[-1] is None
    for wait_s, least_s in zip(waits, [0.5, 1, 2, 4, 8, 10, 10], strict=False):
        assert wait_s is not None
        assert least_s <= wait_s <= least_s * 1.2


def test_a_wait_that_is_asked_for_is_kept() -> None:
    wait_s = Resumption().wait_s(OverloadedError("busy", retry_after_s=30))

    assert wait_s is not None
    assert 30 <= wait_s <= 36


@pytest.mark.parametrize(
    "error",
    [
        NotFoundError("no such model"),
        TlsMismatchError("no such certificate"),
        OverloadedError("busy for long", retry_after_s=3_600),
    ],
)
def test_what_will_not_pass_soon_is_not_waited_for(error: NotFoundError) -> None:
    assert Resumption().wait_s(error) is None


def test_a_new_segment_makes_up_for_failures() -> None:
    resumption = Resumption(retries=1)

    for number in range(5):
        assert resumption.wait_s(GONE) is not None
        resumption.fresh(said(number, number + 1))
    assert resumption.wait_s(GONE) is not None
    assert resumption.wait_s(GONE) is None


def test_without_retries_nothing_is_forgiven() -> None:
    assert Resumption(retries=0).wait_s(GONE) is None
