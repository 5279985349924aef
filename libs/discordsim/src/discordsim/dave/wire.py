"""MLS's presentation language: integers, and vectors with a length in front (RFC 9420, 2.1)."""

from __future__ import annotations

from discordsim.errors import MalformedMessageError

__all__ = ("Reader", "uint", "vector")

_LARGEST_LENGTH = 1 << 30


def uint(value: int, size: int) -> bytes:
    """Return an unsigned integer of `size` bytes, most significant first."""
    return value.to_bytes(size, "big")


def vector(content: bytes) -> bytes:
    """Return the content with its length in front, which takes one, two or four bytes."""
    length = len(content)
    if length < 1 << 6:
        return uint(length, 1) + content
    if length < 1 << 14:
        return uint(length | 1 << 14, 2) + content
    if length < _LARGEST_LENGTH:
        return uint(length | 2 << 30, 4) + content
    raise ValueError(f"a vector holds less than {_LARGEST_LENGTH} bytes, not {length}")


class Reader:
    """Reads values one after the other."""

    def __init__(self, content: bytes) -> None:
        """Start at the first byte."""
        self._content = content
        self.offset = 0
        """Bytes read so far."""

    @property
    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self.offset >= len(self._content)

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes.

        Raises:
            MalformedMessageError: there are fewer.
        """
        found = self._content[self.offset : self.offset + size]
        if len(found) < size:
            raise MalformedMessageError(f"ends {size - len(found)} bytes too early")
        self.offset += size
        return found

    def uint(self, size: int) -> int:
        """Return an unsigned integer of `size` bytes.

        Raises:
            MalformedMessageError: there are fewer bytes.
        """
        return int.from_bytes(self.take(size), "big")

    def vector(self) -> bytes:
        """Return the content of a vector.

        Raises:
            MalformedMessageError: it is cut off, or its length is written in no valid way.
        """
        first = self.uint(1)
        more = (1 << (first >> 6)) - 1
        if more > 3:
            raise MalformedMessageError("has a vector whose length is no valid integer")
        length = (first & 0x3F) << 8 * more | self.uint(more)
        return self.take(length)

    def expect(self, size: int, wanted: int, what: str) -> None:
        """Read an unsigned integer that can only be `wanted`.

        Raises:
            MalformedMessageError: it is another one.
        """
        if (found := self.uint(size)) != wanted:
            raise MalformedMessageError(f"has {what} {found} where only {wanted} is possible")
