"""How a voice server behaves, apart from faults."""

from __future__ import annotations

from dataclasses import dataclass

from discordsim.voice.transport import TransportMode

__all__ = ("VoiceSettings",)


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """Behaviour of a voice server. The defaults are Discord's, as far as they are known."""

    modes: tuple[TransportMode, ...] = (TransportMode.AES256_GCM, TransportMode.XCHACHA20)
    """What is offered in opcode 2, in this order."""
    dave_required: bool = True
    """Whether clients without DAVE are closed with 4017, as since March 2026; otherwise the whole
    call goes on without encryption while one of them is in it."""
    heartbeat_interval_s: float = 13.75
    """How often clients must send opcode 3."""
    resume_window_s: float = 30.0
    """How long a session that lost its connection can be resumed."""
    resume_buffer: int = 500
    """Messages kept for each session, to be sent again to who resumes."""
    closing_delay_s: float = 0.02
    """How long the answer to a client's closing takes. discord.py 2.7.1 hangs after a region change
    if its own closing is over before its reader has noticed, which no real network is fast enough
    for."""
    transition_timeout_s: float = 2.0
    """How long a transition waits for clients that do not say that they are ready."""
    undocumented_messages: bool = True
    """Whether opcodes 18 and 20 are sent, which Discord sends and documents nowhere."""

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            ValueError: one does not hold.
        """
        for name in ("heartbeat_interval_s", "resume_window_s", "transition_timeout_s"):
            if not 0 < getattr(self, name) <= 3600:
                raise ValueError(f"{name} is not in (0, 3600]")
        if not 0 <= self.closing_delay_s <= 10:
            raise ValueError("closing_delay_s is not in [0, 10]")
        if not self.modes:
            raise ValueError("modes names none")
        if self.resume_buffer < 1:
            raise ValueError("resume_buffer is less than 1")
