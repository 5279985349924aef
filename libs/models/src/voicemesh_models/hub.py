"""The model hub, through `huggingface_hub`: its endpoint, token and metadata are the user's own.

Only the location of a file is asked here. The bytes go through `transfer`, because the library's
own downloads do not resume in another process.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from huggingface_hub import get_hf_file_metadata, get_token, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from voicemesh_models.errors import FetchError
from voicemesh_models.ports import Download

if TYPE_CHECKING:
    from voicemesh_models.catalogue import HubFile

__all__ = ("HuggingFaceHub",)

_METADATA_DEADLINE_S = 20.0
# The library has changed its HTTP client between releases; the root of that client's errors is what
# its own error class stands on.
_CLIENT_ERROR = cast("type[Exception]", HfHubHTTPError.__bases__[0])
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")


class HuggingFaceHub:
    """Locates files on the hub that `huggingface_hub` is configured for (HF_ENDPOINT, HF_TOKEN).

    Args:
        endpoint: Address of the hub; None for the library's own choice.
    """

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint

    def locate(self, file: HubFile) -> Download:
        """Return address, size and object id of one file at its pinned revision."""
        url = hf_hub_url(file.repo, file.path, revision=file.revision, endpoint=self._endpoint)
        what = f"{file.repo} at {file.revision}, file {file.path}"
        try:
            metadata = get_hf_file_metadata(
                url, timeout=_METADATA_DEADLINE_S, endpoint=self._endpoint
            )
        except GatedRepoError as error:
            raise FetchError(
                f"{file.repo} is gated: accept its terms on the model hub and set HF_TOKEN"
            ) from error
        except (EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError) as error:
            raise FetchError(f"the model hub does not have {what}") from error
        except HfHubHTTPError as error:
            raise FetchError(f"the model hub refuses {what} ({_status(error)})") from error
        except OfflineModeIsEnabled as error:
            raise FetchError(
                "the model hub may not be asked, because HF_HUB_OFFLINE is set"
            ) from error
        except (_CLIENT_ERROR, OSError) as error:
            raise FetchError(f"the model hub cannot be reached for {what} (offline?)") from error
        etag, token = metadata.etag or "", get_token()
        return Download(
            url=url,
            size_bytes=metadata.size,
            # Large files are named by their sha256, small ones by their git object id.
            sha256=etag if _SHA256.fullmatch(etag) else None,
            git_blob_sha1=etag if _SHA1.fullmatch(etag) else None,
            headers={"authorization": f"Bearer {token}"} if token else {},
        )


def _status(error: HfHubHTTPError) -> str:
    return f"HTTP {error.response.status_code}" if error.response is not None else str(error)
