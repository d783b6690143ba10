"""Boots that fail, on demand: the registry does not answer a share of the instances.

    POST /_local/boots {"fail_share": 0.2}            one boot of five fails from now on
    POST /_local/boots {"fail_share": 0.2, "seed": 7} another fifth
    POST /_local/boots {"fail_share": 0}              later boots work
    GET  /_local/boots                                {"fail_share": 0.2, "begun": 5, "failing": 1}

Nothing else is played: the instance runs its real script, whose `docker pull` ends as Docker's does
when a registry is away.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/_local/boots"


class BootFaults:
    """Says of each boot whether it fails, and answers PATH. Thread-safe.

    The share is kept exactly: of n boots in a row n times the share fail, give or take one; the
    seed says which.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.put(0.0)

    def put(self, fail_share: float, seed: int = 0) -> None:
        """Let `fail_share` (0 to 1) of the boots fail from now on. Raises: ValueError."""
        if not 0 <= fail_share <= 1:
            raise ValueError(f"fail_share is {fail_share}; allowed: 0 to 1")
        with self._lock:
            self._share = fail_share
            self._owed = random.Random(seed).random()  # noqa: S311 (nothing is to be secret)
            self._begun = self._failing = 0

    def next_fails(self) -> bool:
        """Say whether the boot that begins now is to fail."""
        with self._lock:
            self._begun += 1
            self._owed += self._share
            fails = self._owed >= 1
            if fails:
                self._owed -= 1
                self._failing += 1
            return fails

    def shown(self) -> dict[str, Any]:
        """Return the share, and the boots since it was put."""
        with self._lock:
            return {"fail_share": self._share, "begun": self._begun, "failing": self._failing}

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Take one wish, or show what is."""
        return self._answer(Request(environ))(environ, start)

    def _answer(self, request: Request) -> Response:
        if request.method == "POST":
            wanted: Any = request.get_json(force=True, silent=True)
            try:
                self.put(float(wanted["fail_share"]), int(wanted.get("seed", 0)))
            except (TypeError, KeyError, ValueError) as error:
                expected = 'Expected {"fail_share": 0 to 1, "seed": a whole number}'
                return Response(f"{expected}: {error}", 400)
        return Response(json.dumps(self.shown()), content_type="application/json")
