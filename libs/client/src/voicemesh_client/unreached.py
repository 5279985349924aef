"""Why no connection came about, from what gRPC says of it.

gRPC gives all of these UNAVAILABLE and tells them apart only in words. Those below are of gRPC
C-core 1.6x to 1.8x; words that are not known here mean no more than "no service answers".

    Connection refused, no such name      nobody is there
    closed before an answer, plain text   perhaps a service that serves TLS
    closed before an answer, TLS          perhaps a service that wants a client certificate
    CERTIFICATE_VERIFY_FAILED             a certificate of an authority that is not trusted
    Hostname Verification Check failed    a certificate for another name
    WRONG_VERSION_NUMBER                  a service that serves no TLS
"""

from __future__ import annotations

from voicemesh_client.errors import TlsMismatchError, UnavailableError

__all__ = ("unreached",)

# Before these words there was no connection yet; a call that broke off later has none of them.
_NEVER_CONNECTED = "last error:"
_NOBODY_THERE = ("refused", "lookup failed", "resolving", "unreachable", "No route", "imed out")


def unreached(details: str, target: str, *, speaks_tls: bool) -> UnavailableError:
    """The error for a call that ended as UNAVAILABLE without a word of the service.

    Args:
        details: what gRPC says.
        target: who was called.
        speaks_tls: whether this side spoke TLS.
    """
    sentence = _mismatch(details, target, speaks_tls=speaks_tls)
    if sentence:
        return TlsMismatchError(sentence)
    return UnavailableError(f"no service answers at {target}")


def _mismatch(details: str, target: str, *, speaks_tls: bool) -> str:
    if _NEVER_CONNECTED not in details or any(words in details for words in _NOBODY_THERE):
        return ""
    if not speaks_tls:
        return f"{target} closes the connection: if it serves TLS, pass its authorities as ca_file"
    if "CERTIFICATE_VERIFY_FAILED" in details:
        return (
            f"the certificate of {target} is not trusted: no authority in ca_file has signed it, "
            "or it has expired"
        )
    if "Hostname Verification" in details:
        return f"the certificate of {target} is not trusted: it is for another name"
    if "WRONG_VERSION_NUMBER" in details:
        return f"{target} does not serve TLS: leave ca_file out"
    return f"{target} closes the connection: it may serve no TLS, or want a client certificate"
