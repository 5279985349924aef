"""What is drawn of a turn: lanes of bars, in seconds from the last voiced sound."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from voicemesh_client.replay.log import LoggedTurn

__all__ = ("Bar", "Lane", "TurnPicture", "picture")

_MOST_BEFORE_S = 2.5
_SHOWN_ANSWER_S = 2.5
_LEAST_ANSWER_S = 1.2
_LEAST_S = 0.005
_LABELLED_WAIT_S = 0.05


@dataclass(frozen=True)
class Bar:
    """Something that lasted."""

    start_s: float
    """When it began."""

    end_s: float
    """When it ended."""

    label: str = ""
    """What it was, with how long it took; empty where that does not matter."""

    pale: bool = False
    """Whether nobody waited for it, or it was wasted."""


@dataclass
class Lane:
    """The bars of one speaker or part, one below the other in the picture."""

    name: str
    """Who did it: `speaker 1`, `stt`, `trainer`, `tts`, `player`."""

    bars: list[Bar] = field(default_factory=list)
    """In order of their beginning."""

    ticks: list[tuple[float, str]] = field(default_factory=list)
    """Moments, with what they were."""


@dataclass(frozen=True)
class TurnPicture:
    """A turn, ready to be drawn."""

    title: str
    """What people call it."""

    lanes: tuple[Lane, ...]
    """From the top."""

    start_s: float
    """Left edge."""

    end_s: float
    """Right edge."""

    first_sound_s: float | None
    """When the first sound was sent; None if there was none."""


def picture(turn: LoggedTurn) -> TurnPicture:
    """What is to be drawn of a turn."""
    record = turn.record
    final = _last(turn.events, "final", speaker=record.get("speaker"), turn=record.get("turn"))
    if final is not None and record.get("turn"):
        zero_s = final["t_s"] - _seconds(final.get("latency_ms"))
    else:
        message = _last(turn.events, "message", speaker=record.get("speaker"))
        zero_s = record["t_s"] if message is None else message["t_s"]
    events = [{**event, "t_s": event["t_s"] - zero_s} for event in turn.events]
    last_s = record["t_s"] - zero_s
    speakers = list(_speaker_lanes(events, record, last_s))
    reply = _last(events, "reply_ended") if turn.is_answered else None
    replies = _replies(events, record, None if reply is None else reply.get("reply"))
    parts = [
        _stt_lane(events, record),
        _trainer_lane(replies, last_s),
        _tts_lane(replies, last_s),
        _player_lane(events, replies),
    ]
    first_ms = record.get("first_frame_sent_ms")
    first_s = None if first_ms is None else first_ms / 1e3
    interrupted = record.get("outcome") == "interrupted"
    own = [lane for lane in speakers if lane.name == f"speaker {record.get('speaker')}"]
    start_s, end_s = _edges((*own, *parts), first_s, interrupted=interrupted)
    lanes = tuple(lane for lane in (*speakers, *parts) if _is_seen(lane, start_s, end_s))
    return TurnPicture(_title(turn), lanes, start_s, end_s, first_s)


def _title(turn: LoggedTurn) -> str:
    parts = [turn.name()]
    if (reason := turn.record.get("addressed_reason")) is not None:
        parts.append(f"addressed: {str(reason).replace('_', ' ')}")
    if turn.record.get("speculation") in ("used", "wasted"):
        parts.append(f"early answer {turn.record['speculation']}")
    return " \N{MIDDLE DOT} ".join(parts)


def _speaker_lanes(
    events: Sequence[Mapping[str, Any]], record: Mapping[str, Any], last_s: float
) -> Iterator[Lane]:
    """The voice of this speaker, and of all others meanwhile."""
    numbers = {e["speaker"] for e in events if "speaker" in e and e["kind"] == "speech_started"}
    for number in sorted(
        numbers, key=lambda number: (number != record.get("speaker"), str(number))
    ):
        lane = Lane(f"speaker {number}")
        own = [event for event in events if event.get("speaker") == number]
        for index, event in enumerate(own):
            if event["kind"] != "speech_started":
                continue
            end = next((e for e in own[index + 1 :] if e["kind"] in _SPEECH_ENDS), None)
            is_this = number == record.get("speaker") and event.get("turn") == record.get("turn")
            lane.bars.extend(_voice_bars(event, end, last_s, is_this=is_this))
        yield lane


_SPEECH_ENDS = ("final", "hearing_lost", "speech_started")


def _voice_bars(
    start: Mapping[str, Any], end: Mapping[str, Any] | None, last_s: float, *, is_this: bool
) -> Iterator[Bar]:
    if end is None or end["kind"] != "final":
        yield Bar(start["t_s"], last_s if end is None else end["t_s"], pale=not is_this)
        return
    ended_s = end["t_s"] - _seconds(end.get("latency_ms"))
    spoken_s = _seconds(end.get("speech_ms"))
    began_s = ended_s - spoken_s if spoken_s else min(start["t_s"], ended_s)
    yield Bar(began_s, ended_s, f"speaks {ended_s - began_s:.1f} s", pale=not is_this)
    if is_this and end["t_s"] > ended_s:
        yield Bar(ended_s, end["t_s"], _timed("gate", end["t_s"] - ended_s), pale=True)


def _stt_lane(events: Iterable[Mapping[str, Any]], record: Mapping[str, Any]) -> Lane:
    lane = Lane("stt")
    ready_ms, took_ms = record.get("transcript_ready_ms"), record.get("stt_ms")
    if ready_ms is not None and took_ms is not None:
        ready_s, began_s = ready_ms / 1e3, (ready_ms - took_ms) / 1e3
        queue_s = _seconds(record.get("stt_queue_ms"))
        if queue_s > _LEAST_S:
            label = _timed("waits", queue_s) if queue_s >= _LABELLED_WAIT_S else ""
            lane.bars.append(Bar(began_s - queue_s, began_s, label, pale=True))
        lane.bars.append(Bar(began_s, ready_s, _timed("words", ready_s - began_s)))
    for event in events:
        if event["kind"] in ("soft_final", "turn_resumed") and _is_of(event, record):
            likely = event.get("probability")
            what = "goes on" if event["kind"] == "turn_resumed" else "over?"
            lane.ticks.append((event["t_s"], what if likely is None else f"{what} {likely:.2f}"))
    return lane


def _replies(
    events: Sequence[Mapping[str, Any]], record: Mapping[str, Any], given: object
) -> dict[Any, dict[str, list[Mapping[str, Any]]]]:
    """Events of the answers to this turn, dropped ones too, by answer and kind."""
    begun = {e.get("reply") for e in events if e["kind"] == "reply_begun" and _is_of(e, record)}
    if given is not None:
        begun.add(given)
    replies: dict[Any, dict[str, list[Mapping[str, Any]]]] = {}
    for event in events:
        if event.get("reply") in begun:
            kinds = replies.setdefault(event["reply"], {})
            kinds.setdefault(event["kind"], []).append(event)
    return replies


def _trainer_lane(replies: Mapping[Any, Mapping[str, list[Any]]], last_s: float) -> Lane:
    lane = Lane("trainer")
    for kinds in replies.values():
        begun_s = _first_s(kinds, "reply_begun")
        if begun_s is None:
            continue
        text_s = _first_s(kinds, "model_text")
        dropped = "reply_shown" not in kinds
        over_s = _first_s(kinds, "model_finished", "reply_cancelled", "failed", "reply_ended")
        over_s = last_s if over_s is None else over_s
        if text_s is None:
            lane.bars.append(Bar(begun_s, over_s, "dropped" if dropped else "", pale=True))
            continue
        label = "dropped" if dropped else _timed("first text", text_s - begun_s)
        lane.bars.append(Bar(begun_s, text_s, label, pale=dropped))
        lane.bars.append(Bar(text_s, max(text_s, over_s), pale=True))
    return lane


def _tts_lane(replies: Mapping[Any, Mapping[str, list[Any]]], last_s: float) -> Lane:
    lane = Lane("tts")
    for kinds in replies.values():
        asked_s, sound_s = _first_s(kinds, "voice_text"), _first_s(kinds, "voice_audio")
        if asked_s is None:
            continue
        over_s = _first_s(kinds, "voice_finished", "failed", "reply_ended")
        over_s = last_s if over_s is None else over_s
        if sound_s is None:
            lane.bars.append(Bar(asked_s, over_s, "no sound", pale=True))
            continue
        lane.bars.append(Bar(asked_s, sound_s, _timed("first sound", sound_s - asked_s)))
        lane.bars.append(Bar(sound_s, max(sound_s, over_s), pale=True))
    return lane


def _player_lane(
    events: Iterable[Mapping[str, Any]], replies: Mapping[Any, Mapping[str, list[Any]]]
) -> Lane:
    lane = Lane("player")
    for kinds in replies.values():
        began_s, ended_s = _first_s(kinds, "played"), _first_s(kinds, "reply_ended")
        if began_s is None or ended_s is None:
            continue
        heard_ms = kinds["reply_ended"][0].get("heard_ms")
        label = "plays" if heard_ms is None else f"plays {heard_ms / 1e3:.1f} s"
        sounding_s: float | None = began_s
        for event in sorted((*kinds.get("paused", ()), *kinds.get("resumed", ())), key=_at):
            if event["kind"] == "paused" and sounding_s is not None:
                lane.bars.append(Bar(sounding_s, event["t_s"], label))
                sounding_s, label = None, ""
                lane.ticks.append((event["t_s"], "paused"))
            elif event["kind"] == "resumed" and sounding_s is None:
                sounding_s = event["t_s"]
        if sounding_s is not None:
            lane.bars.append(Bar(sounding_s, ended_s, label))
        for event in events:
            if event["kind"] == "ducked" and event.get("on") and began_s <= event["t_s"] <= ended_s:
                lane.ticks.append((event["t_s"], "softer"))
    return lane


def _edges(
    lanes: Iterable[Lane], first_sound_s: float | None, *, interrupted: bool
) -> tuple[float, float]:
    """What is shown: the end of the speech and the first of the answer, as the rest is the same."""
    starts = [bar.start_s for lane in lanes for bar in lane.bars] or [0.0]
    ends = [bar.end_s for lane in lanes for bar in lane.bars] or [0.0]
    start_s = max(-_MOST_BEFORE_S, min(starts)) - 0.2
    end_s = max(0.5, *ends)
    if first_sound_s is not None and not interrupted:
        end_s = min(end_s, first_sound_s + _SHOWN_ANSWER_S)
    if first_sound_s is not None:
        end_s = max(end_s, first_sound_s + _LEAST_ANSWER_S)
    return start_s, end_s + 0.1


def _is_seen(lane: Lane, start_s: float, end_s: float) -> bool:
    return any(bar.start_s < end_s and bar.end_s > start_s for bar in lane.bars) or any(
        start_s <= at_s < end_s for at_s, _ in lane.ticks
    )


def _is_of(event: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    return (event.get("speaker"), event.get("turn")) == (record.get("speaker"), record.get("turn"))


def _last(events: Sequence[Mapping[str, Any]], kind: str, **having: object) -> Any:
    for event in reversed(events):
        if event["kind"] == kind and all(event.get(n) == value for n, value in having.items()):
            return event
    return None


def _first_s(kinds: Mapping[str, list[Any]], *names: str) -> float | None:
    times = [event["t_s"] for name in names for event in kinds.get(name, ())]
    return min(times, default=None)


def _at(event: Mapping[str, Any]) -> float:
    return float(event["t_s"])


def _seconds(milliseconds: object) -> float:
    return milliseconds / 1e3 if isinstance(milliseconds, int | float) else 0.0


def _timed(what: str, seconds: float) -> str:
    return f"{what} {max(0.0, seconds) * 1e3:.0f} ms"
