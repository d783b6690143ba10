"""Health and metrics: open, since a load balancer and a scraper hold no key."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from config.contracts.health import CONFIGURATION, FAILED
from worker_images.api import errors, metrics
from worker_images.api.auth import has_internal_key
from worker_images.api.health import CHECKS, OK, Health
from worker_images.base.logging import logger

_log = logger("health")


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when every dependency answers, else 503. Reasons go to the log, not to strangers.

    Also which configuration this container runs, without a value of it.
    """
    report = _health().report()
    broken = {name: reason for name, reason in report.items() if reason != OK}
    if broken:
        _log.warning("unhealthy", **broken)
    fields = {name: OK if name not in broken else FAILED for name in report}
    fields[CONFIGURATION] = settings.API.configuration
    return JsonResponse(fields, status=503 if broken else 200)


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """Prometheus text for scrapers in the network; through the load balancer with the key alone.

    The load balancer always adds X-Forwarded-For, a scraper that asks the instance does not.
    """
    if "X-Forwarded-For" in request.headers and not has_internal_key(request):
        return errors.in_json("FORBIDDEN", "metrics need the internal key here", 403)
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


@cache
def _health() -> Health:
    return Health(CHECKS)
