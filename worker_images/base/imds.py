"""The instance metadata service, version 2, as far as a worker asks it."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass

from worker_images.base.leaving import Event

_TOKEN_TTL_S = 60
_TIMEOUT_S = 5
_INSTANCE_ID = "instance-id"
#: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
_INTERRUPTION = "spot/instance-action"
#: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html
_REBALANCE = "events/recommendations/rebalance"
#: https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
_TARGET = "autoscaling/target-lifecycle-state"


@dataclass(frozen=True)
class Metadata:
    """Asks the service at `endpoint`. Raises: OSError when it does not answer."""

    endpoint: str

    def instance_id(self) -> str:
        """Return this instance's id."""
        found = self._read(_INSTANCE_ID, self._token())
        if found is None:
            raise OSError(f"{self.endpoint} knows no {_INSTANCE_ID}")
        return found

    def notice(self) -> tuple[Event, str] | None:
        """Return the strongest notice of this instance's end and its reason, None without any."""
        token = self._token()
        if self._read(_TARGET, token) == "Terminated":
            return Event.TAKEN, "the group ends this instance"
        action = self._read(_INTERRUPTION, token)
        if action is not None:
            return Event.INTERRUPTION, f"EC2 takes this Spot instance back: {action}"
        if self._read(_REBALANCE, token) is not None:
            return Event.REBALANCE, "EC2 recommends to leave this Spot instance"
        return None

    def _token(self) -> str:
        found = self._call(
            "api/token", "PUT", {"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_TTL_S)}
        )
        if found is None:
            raise OSError(f"{self.endpoint} gives no token")
        return found

    def _read(self, name: str, token: str) -> str | None:
        return self._call(f"meta-data/{name}", "GET", {"X-aws-ec2-metadata-token": token})

    def _call(self, path: str, method: str, headers: dict[str, str]) -> str | None:
        """Return the answer, None when there is no such thing (404)."""
        url = f"{self.endpoint.rstrip('/')}/latest/{path}"
        request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 - http
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
