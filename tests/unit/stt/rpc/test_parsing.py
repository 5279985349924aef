"""When turns begin and end, as a caller asks for it."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_stt.domain import TurnDetection, end_threshold_of
from voicemesh_stt.rpc.parsing import turn_detection

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(3, -2_000_000_000), (3, -1), (-1, 2_000_000_000), (0, 1_000_000_000), (0, 2_147_483_647)],
)
def test_a_duration_against_its_own_rules_names_the_field(seconds: int, nanos: int) -> None:
    message = pb.TurnDetection(max_turn_duration=Duration(seconds=seconds, nanos=nanos))

    with pytest.raises(InvalidArgumentError, match="not a valid duration") as caught:
        turn_detection(message, TurnDetection())

    assert caught.value.field == "config.turn_detection.max_turn_duration"


def test_a_valid_duration_is_taken_to_the_nanosecond() -> None:
    message = pb.TurnDetection(max_turn_duration=Duration(seconds=2, nanos=999_999_999))

    assert turn_detection(message, TurnDetection()).max_turn_s == pytest.approx(2.999999999)


@pytest.mark.parametrize(("start", "end"), [(0.5, 0.35), (0.95, 0.8), (0.05, 0.01)])
def test_a_voice_ends_a_little_below_where_it_begins(start: float, end: float) -> None:
    asked = turn_detection(pb.TurnDetection(start_threshold=start), TurnDetection())

    assert asked.end_threshold == pytest.approx(end_threshold_of(start)) == pytest.approx(end)
