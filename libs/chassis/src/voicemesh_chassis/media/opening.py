"""How FFmpeg may open bytes that come from anybody.

It may open nothing but them: a playlist or an edit list can name other files and addresses. Hence a
list of formats, from the caller, and the empty list of protocols.
"""

from __future__ import annotations

__all__ = ("DECODING", "opening_options")

DECODING = {"max_samples": str(1 << 21)}
"""Options of decoders, which make a frame as large as its bytes claim it to be. The longest honest
ones are those of Monkey's Audio, with 1,179,648 samples."""

_OPENING = {
    "protocol_whitelist": "none",
    # FFmpeg decodes pictures too, to know what they are: 1 MB of them became 1 GB. None is wanted.
    "max_pixels": "1",
    **DECODING,
}
_MPEG4_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2"
# Each track has an index, which may claim far more than is there; see `allocations`. Films have up
# to a dozen tracks, and where attachments count as such, more: hence only of MPEG-4.
_MPEG4_TRACKS = {"max_streams": "12"}


def opening_options(formats: str, *, mpeg4: bool) -> dict[str, str]:
    """The options that keep FFmpeg to the bytes, and those within bounds.

    Args:
        formats: names of the formats that are allowed, separated by commas.
        mpeg4: whether those of the MPEG-4 family are allowed as well.
    """
    if not mpeg4:
        return {**_OPENING, "format_whitelist": formats}
    return {**_OPENING, **_MPEG4_TRACKS, "format_whitelist": f"{formats},{_MPEG4_FORMATS}"}
