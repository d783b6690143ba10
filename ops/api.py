"""The platform's API as staff uses it, over real HTTP."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from rich.console import Console
from rich.progress import open as open_with_progress

from config.contracts import api_paths
from config.contracts.environment import INTERNAL_KEY_HEADER
from ops.errors import OperatorError
from ops.operator_access import Access

LOOPBACK = ("localhost", "127.0.0.1", "::1")
TIMEOUT_S = 15
#: A large lecture over a slow line; it bounds a single wait, not the whole upload.
UPLOAD_TIMEOUT_S = 300


class Api:
    """Calls of one tenant's staff. Every failure is an OperatorError with what the API said."""

    def __init__(self, access: Access, *, tenant_id: int) -> None:
        self._base_url = access.base_url
        self._session = requests.Session()
        # A proxy of the environment cannot reach this machine's own addresses.
        self._session.trust_env = urlsplit(access.base_url).hostname not in LOOPBACK
        self._staff = {
            "Authorization": f"Bearer {access.operator_token}",
            api_paths.TENANT_HEADER: str(tenant_id),
        }
        self._internal = {INTERNAL_KEY_HEADER: access.internal_key}

    def metrics(self) -> str:
        """Return the Prometheus text."""
        return self._checked(self._send("GET", api_paths.METRICS, headers=self._internal)).text

    def init_upload(self, path: Path) -> dict[str, Any]:
        """Announce a video and return `{video, upload_url, file_key, content_type}`."""
        body = {
            "title": path.stem,
            "filename": path.name,
            "content_type": mimetypes.guess_type(path.name)[0] or "",
        }
        sent = self._send("POST", api_paths.UPLOAD_INIT, headers=self._staff, json=body)
        return _fields(self._checked(sent))

    def put(self, upload: dict[str, Any], path: Path, console: Console) -> None:
        """PUT the file to its presigned URL, with a progress bar at a terminal."""
        headers = {"Content-Type": str(upload["content_type"])}
        with open_with_progress(path, "rb", description="upload", console=console) as content:
            self._checked(self._send("PUT", upload["upload_url"], headers=headers, data=content))

    def complete_upload(self, video_id: int) -> dict[str, Any]:
        """Say that the file is there."""
        sent = self._send("POST", api_paths.upload_complete(video_id), headers=self._staff)
        return _fields(self._checked(sent))

    def progress(self, video_id: int) -> dict[str, Any]:
        """Return how far a video is."""
        sent = self._send("GET", api_paths.progress(video_id), headers=self._staff)
        return _fields(self._checked(sent))

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        timeout_s = UPLOAD_TIMEOUT_S if "data" in options else TIMEOUT_S
        try:
            return self._session.request(
                method, urljoin(self._base_url, path), timeout=timeout_s, **options
            )
        except requests.RequestException as error:
            # The URL of an upload is signed: only the kind of failure is repeated.
            raise ApiUnreachableError(
                f"{method} {self._base_url}: {type(error).__name__}"
            ) from error

    def _checked(self, response: requests.Response) -> requests.Response:
        if response.ok:
            return response
        request = response.request
        said = f"{request.method} {(request.url or '').split('?')[0]}: {response.status_code}"
        if response.status_code >= requests.codes.server_error:
            raise ApiUnreachableError(f"{said} {response.text[:300]}")
        raise OperatorError(f"{said} {response.text[:300]}")


class ApiUnreachableError(OperatorError):
    """The API gave no answer, or one of its own failures: asking again may help."""


def _fields(response: requests.Response) -> dict[str, Any]:
    """Return a JSON object. Raises: OperatorError when the answer is none."""
    try:
        found = response.json()
    except requests.JSONDecodeError as error:
        raise ApiUnreachableError(
            f"{response.status_code}: no JSON: {response.text[:200]}"
        ) from error
    if not isinstance(found, dict):
        raise OperatorError(f"expected a JSON object, got {type(found).__name__}")
    return found
