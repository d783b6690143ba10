"""The metric function: event in, number of looks out.

All fleets are looked at at once, each in a thread of its own: what one fleet's failure costs stays
with that fleet. The API is asked once a look, for all of them.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Protocol

import boto3

from config.contracts.fleet_facts import FleetFact
from config.contracts.metrics import FETCH_FAILED_LINE
from lambdas.queue_depth_metric import ticks
from lambdas.queue_depth_metric.api import FetchFailed, FleetsApi, SecretKey
from lambdas.queue_depth_metric.budget import API_WAIT_S, TICK_ROOM_S, Budget
from lambdas.queue_depth_metric.clients import CONFIG, Clients, open_clients
from lambdas.queue_depth_metric.environment import FunctionSettings, load_settings
from lambdas.queue_depth_metric.look import FleetLook

Facts = Mapping[str, FleetFact]

log = logging.getLogger(__name__)


class Context(Protocol):
    """The part of Lambda's context that is used."""

    def get_remaining_time_in_millis(self) -> int: ...


class Function:
    """The function with its clients and what it remembers, kept for the life of a container."""

    def __init__(
        self, settings: FunctionSettings, ask: Callable[[], Facts], clients: Clients
    ) -> None:
        self.settings = settings
        self._ask = ask
        self._fleets = {
            rules.group: FleetLook(
                rules,
                clients,
                environment=settings.environment,
                now=time.time,
                write=sys.stdout.write,
            )
            for rules in settings.fleets
        }
        self._looking = ThreadPoolExecutor(len(self._fleets), "fleet")
        # Of its own: an answer that trickles in for minutes holds up nobody but the next question.
        self._asking = ThreadPoolExecutor(1, "api")

    def look(self) -> None:
        """Look at every fleet once, in TICK_ROOM_S at most."""
        budget = Budget(time.monotonic() + TICK_ROOM_S, time.monotonic)
        known: Future[Facts | None] = Future()
        looks = {
            group: self._looking.submit(fleet.look, known.result, budget)
            for group, fleet in self._fleets.items()
        }
        known.set_result(self._answer())
        for group, look in looks.items():
            if (error := look.exception()) is not None:
                # A fault of ours. The fleet's metrics stay away, and their alarms say so.
                log.error("fleet left as it is | group=%s", group, exc_info=error)
        sys.stdout.flush()

    def _answer(self) -> Facts | None:
        """Return what the API knows, None when it does not say so in time."""
        asked = self._asking.submit(self._ask)
        try:
            return asked.result(timeout=API_WAIT_S)
        except FetchFailed as error:
            log.warning("%s | %s", FETCH_FAILED_LINE, error)
        except TimeoutError:
            asked.cancel()
            log.warning("%s | hop=time-out | nothing within %s s", FETCH_FAILED_LINE, API_WAIT_S)
        except Exception:
            log.exception("%s | hop=answer | a fault of ours", FETCH_FAILED_LINE)
        return None


def handler(event: object, context: Context) -> dict[str, int]:
    """Look at the fleets until the scheduled minute is over."""
    _configure_logging()
    looks = ticks.run(
        build().look,
        due_at=ticks.scheduled_at(event, time.time()),
        remaining_s=lambda: context.get_remaining_time_in_millis() / 1000,
        tick_s=build().settings.tick_s,
        clock=time,
    )
    return {"looks": looks}


@cache
def build() -> Function:
    """Return the function as its environment describes it. Raises: EnvironmentInvalid."""
    settings = load_settings(os.environ)
    secrets = boto3.client("secretsmanager", config=CONFIG)
    key = SecretKey(
        lambda: str(secrets.get_secret_value(SecretId=settings.key_arn)["SecretString"])
    )
    within_s = max(fleet.on_demand_s for fleet in settings.fleets)
    api = FleetsApi(settings.api_url, key, within_s=within_s)
    return Function(settings, api.fleets, open_clients())


def _configure_logging() -> None:
    """Log from INFO up. Lambda's runtime brings a handler of its own."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("lambdas").setLevel(logging.INFO)
