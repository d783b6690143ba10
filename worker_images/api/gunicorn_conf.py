"""gunicorn's settings: `gunicorn --config python:worker_images.api.gunicorn_conf`.

The root file system may be read-only; only TMPDIR (or /tmp) is written to.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from config.contracts.environment import SECRETS
from config.contracts.names import API_PORT
from worker_images.api.environment import MULTIPROCESS_DIRECTORY
from worker_images.base.logging import configure

bind = os.environ.get("API_BIND", f"0.0.0.0:{API_PORT}")
worker_class = "gthread"
workers = 2
threads = 8
# Longer than the load balancer's idle time-out of 60 s, so that the balancer closes first.
keepalive = 65
timeout = 60
graceful_timeout = 25
# A slow disk must not look like a dead worker: https://docs.gunicorn.org/en/stable/faq.html
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()  # noqa: S108
# The load balancer is the only peer, by security group; the scheme is read by Django.
forwarded_allow_ips = "*"
accesslog = None
# Its socket would be written below $HOME.
control_socket_disable = True
errorlog = "-"
logconfig_dict: dict[str, Any] = {
    "root": {"level": "WARNING", "handlers": []},
    "loggers": {"gunicorn.error": {"level": "INFO", "propagate": True, "handlers": []}},
}

# Before anything imports prometheus_client: it looks once, when it is imported.
os.environ.setdefault(MULTIPROCESS_DIRECTORY, tempfile.mkdtemp(prefix="academy-api-metrics-"))


def on_starting(server: Any) -> None:
    """Log as the application does, from the first line on."""
    configure(secrets=[os.environ[name] for name in SECRETS if os.environ.get(name)])
