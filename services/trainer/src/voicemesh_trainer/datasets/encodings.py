"""Finds out how the text of a file is encoded.

A byte order mark decides; then UTF-8, if most of the file is; then UTF-16 by where its zeros are;
then windows-1252 for text in Latin letters; and what charset-normalizer thinks for the rest. Bytes
that do not fit what was found come out as lone surrogates (PEP 383), so that the rows in which
they stand can be refused and the others kept.
"""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases
from typing import TYPE_CHECKING

import charset_normalizer

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_trainer.datasets.errors import UnreadableFileError

if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ("decoding_errors", "found_encoding", "iana_name", "named_encoding")

_SAMPLE_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 18
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_OF_TEXT = frozenset(
    {"base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec", "zlib_codec"}
)
# Of several letters or bytes with a meaning of their own, as in e-mail headers and source code.
_NOT_OF_FILES = frozenset(
    {"idna", "mbcs", "oem", "punycode", "raw_unicode_escape", "unicode_escape", "utf_7"}
)
# By their bytes: the letters of western Europe; curly quotes, dashes, and a few signs.
_WESTERN = frozenset(
    (
        bytes({*range(0xC0, 0x100)} - {0xD0, 0xD7, 0xDD, 0xDE, 0xF0, 0xF7, 0xFD, 0xFE})
        + b"\x80\x82\x84\x85\x8b\x8c\x91\x92\x93\x94\x95\x96\x97\x99\x9b\x9c"
        + b"\xa0\xa1\xa3\xa7\xa9\xab\xae\xb0\xb7\xbb\xbf"
    ).decode("cp1252")
)
# In Latin script the words with accented letters have at least as many without; what is Greek or
# Cyrillic looks as if it had accented letters only.
_WORD = re.compile(r"[^\W\d_]+")
_LEAST_ZEROS = 0.2
"""Of UTF-16 text in any script, at least so many bytes on one side: spaces, digits, new lines."""


def named_encoding(name: str) -> str:
    """The encoding that a caller names.

    Raises:
        InvalidArgumentError: if there is none of that name, or it is not one of files of text.
    """
    try:
        normal = codecs.lookup(name).name.replace("-", "_") if name.isascii() else ""
    except (LookupError, ValueError):
        normal = ""
    known = set(aliases.values()) - _NOT_OF_TEXT | {"utf_8_sig"}
    spelled = aliases.get(normal, normal)
    if spelled not in known or spelled in _NOT_OF_FILES:
        msg = "config.encoding is not a text encoding that is known here, such as utf-8"
        raise InvalidArgumentError(msg, field="config.encoding")
    # A byte order mark is no part of the text, whoever says what the encoding is.
    return "utf-8-sig" if spelled == "utf_8" else codecs.lookup(spelled).name


def found_encoding(file: BinaryIO, name: str) -> str:
    """The encoding of a file, which is read and then stands at its beginning again.

    Args:
        file: the whole file.
        name: what to call it in a refusal.

    Raises:
        UnreadableFileError: if it is not text.
    """
    sample = file.read(_SAMPLE_BYTES)
    file.seek(0)
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    if b"\0" in sample:
        encoding = _by_zeros(sample)
        if not encoding:
            msg = f"{name} is not text: it has bytes that are zero"
            raise UnreadableFileError(msg)
        return encoding
    wrong, several = _utf8_faults(file)
    file.seek(0)
    if wrong is None or several:
        return "utf-8"
    file.seek(max(0, wrong - _SAMPLE_BYTES // 2))
    telling = file.read(_SAMPLE_BYTES)
    file.seek(0)
    return _legacy(telling, name)


def decoding_errors(encoding: str) -> str:
    """The error handler that leaves a trace of bytes that do not fit the encoding."""
    wide = codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
    return "surrogatepass" if wide else "surrogateescape"


def iana_name(encoding: str) -> str:
    """What the Internet calls an encoding of Python's."""
    name = codecs.lookup(encoding).name
    if name in ("utf-8-sig", "ascii"):
        return {"ascii": "us-ascii"}.get(name, "utf-8")
    name = re.sub(r"^cp(125\d)$", r"windows-\1", name)
    return re.sub(r"^iso8859[-_]", "iso-8859-", name).replace("_", "-")


def _by_zeros(sample: bytes) -> str:
    """UTF-16 without a mark: the high bytes of spaces and Latin letters are zero."""
    half = max(1, len(sample) // 2)
    low, high = sample[0::2].count(0) / half, sample[1::2].count(0) / half
    if high >= _LEAST_ZEROS and low < high / 10:
        return "utf-16-le"
    if low >= _LEAST_ZEROS and high < low / 10:
        return "utf-16-be"
    return ""


def _utf8_faults(file: BinaryIO) -> tuple[int | None, bool]:
    """Where the first byte is that is not UTF-8, and whether the file is UTF-8 for the rest.

    It is if more characters of several bytes than faults were seen up to the first faults.
    """
    place, sound = 0, 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    while True:
        block = file.read(_BLOCK_BYTES)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            lost = place - (len(error.object) - len(block)) + error.start
            there = error.object.decode("utf-8", "surrogateescape")
            faults = sum("\udc80" <= each <= "\udcff" for each in there)
            sound += sum(each > "\x7f" for each in there) - faults
            return max(0, lost), sound > faults
        if not text.isascii():
            sound += sum(each > "\x7f" for each in text)
        place += len(block)
        if not block:
            return None, True


def _legacy(sample: bytes, name: str) -> str:
    try:
        western = sample.decode("cp1252")
    except UnicodeDecodeError:
        western = ""
    if western and _WESTERN.issuperset(each for each in western if each > "\x7f"):
        words = _WORD.findall(western)
        foreign = [word for word in words if not word.isascii()]
        accented = sum(each > "\x7f" for word in foreign for each in word)
        if 2 * accented <= sum(map(len, foreign)):
            return "cp1252"
    best = charset_normalizer.from_bytes(sample).best()
    if best is None:
        msg = f"{name} is not text in any encoding that is known here; say which in config.encoding"
        raise UnreadableFileError(msg)
    return best.encoding
