"""What Whisper's encoder is given: no more audio context than the words need, padded with silence.

The encoder's work does not depend on the words but on its context, and Whisper is always given
30 s. CTranslate2 takes fewer frames. A context of 10 s or more, and 2 s longer than the audio,
gives words as right in a third of the time. In shorter ones the model runs into repetition loops,
and now and then it does in these too, which is why `hypotheses.Attempt.is_believed` looks at what
came out and the job may be done again with the whole context.

OpenAI's Whisper pads the audio with silence, faster-whisper the normalised log-mel with zeros,
which is a loud hiss. With what silence comes to there are almost no loops. Half a second of silence
goes before the audio too: Whisper seldom saw a window that begins in the middle of a word, and
hears the first words better without one. A whole context is left as Whisper knows it, so that a
second look is one in every respect. Decision 0007 says more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from faster_whisper.feature_extractor import FeatureExtractor

    from voicemesh_stt.ports import Features, Samples

__all__ = ("FULL_FRAMES", "LogMel", "context_frames", "log_mel", "padded")

FULL_FRAMES = 3_000
"""Frames of 10 ms in Whisper's own context."""
_BUCKETS = (1_000, 1_250, 1_500, 2_000, 2_500, FULL_FRAMES)
"""Few sizes, so that jobs of like length can share a batch."""
_SPARE_FRAMES = 200
_FRAME_SAMPLES = 160
_LEAD_FRAMES = 50
_LEAST_SAMPLES = 4 * _FRAME_SAMPLES
"""The transform mirrors 200 samples at the edges, so it needs more than those."""
_RANGE = 2.0
"""Normalised log-mel is cut off that far below its greatest value (8 decades, divided by 4)."""
_SILENCE = -1.5
"""Normalised log-mel of digital silence."""


@dataclass(frozen=True)
class LogMel:
    """The normalised log-mel of some audio, with silence before it."""

    features: Features
    """All of it [mels, frames]."""
    audio_frames: int
    """Frames of audio, and of the silence before it."""
    lead_frames: int
    """Frames of that silence."""

    def in_context(self, min_context_s: float) -> LogMel:
        """The same in its context, padded; without silence before it if that is the whole one."""
        frames = context_frames(self.audio_frames, min_context_s)
        if frames < FULL_FRAMES:
            return LogMel(padded(self.features, frames), self.audio_frames, self.lead_frames)
        lead = self.lead_frames
        features = padded(self.features[:, lead:], FULL_FRAMES)
        return LogMel(features, self.audio_frames - lead, 0)


def context_frames(audio_frames: int, min_context_s: float) -> int:
    """The shortest context that holds so many frames safely, in frames of 10 ms."""
    needed = max(audio_frames + _SPARE_FRAMES, min_context_s * 100)
    return next((bucket for bucket in _BUCKETS if bucket >= needed), FULL_FRAMES)


def log_mel(extractor: FeatureExtractor, audio: Samples) -> LogMel:
    """The normalised log-mel of the first 30 s, with as much silence before it as leaves room."""
    # What is not a number would become words about nothing, for others in the batch as well.
    audio = np.nan_to_num(audio[: FULL_FRAMES * _FRAME_SAMPLES], posinf=1.0, neginf=-1.0)
    audio_frames = len(audio) // _FRAME_SAMPLES
    lead_frames = min(_LEAD_FRAMES, FULL_FRAMES - audio_frames)
    whole = np.pad(audio, (lead_frames * _FRAME_SAMPLES, max(0, _LEAST_SAMPLES - len(audio))))
    features: Features = extractor(whole)[:, :FULL_FRAMES].astype(np.float32, copy=False)
    return LogMel(features, lead_frames + audio_frames, lead_frames)


def padded(features: Features, frames: int) -> Features:
    """Features [mels, frames], with silence after those that were given."""
    given = features[:, :frames]
    silence = max(float(given.max()) - _RANGE, _SILENCE)
    missing = frames - given.shape[1]
    whole: Features = np.pad(given, ((0, 0), (0, missing)), constant_values=silence)
    return whole
