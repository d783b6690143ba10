"""An AWS to host instances in: moto and the metadata service behind one loopback socket."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from local.clients import REGION, Clients
from local.hosts.imds import PREFIX, Imds
from local.hosts.instances import LocalInstances
from local.services import moto_repairs
from local.supervisor import Supervisor


@dataclass
class Embedded:
    """What a test needs of it."""

    clients: Clients
    imds: Imds
    endpoint: str
    supervisor: Supervisor
    instances: LocalInstances
    state: Path

    def client(self, service: str) -> Any:
        """Return the client of an AWS service."""
        return self.clients.client(service)

    def launch(self, user_data: str, **more: Any) -> str:
        """Record an instance with EC2, boot it, and return its id."""
        image = self.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        found = self.client("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1, **more)
        instance_id = found["Instances"][0]["InstanceId"]
        self.instances.ensure(instance_id, user_data=user_data, tags={}, profile_role=None)
        return instance_id


@contextmanager
def embedded(state: Path) -> Iterator[Embedded]:
    """Serve an empty AWS, and end every process that it started."""
    moto_repairs.apply()
    backend = DomainDispatcherApplication(create_backend_app)
    clients = Clients(backend)
    meta = Imds(clients, REGION)

    def application(environ: Any, start: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        ours = environ["PATH_INFO"].startswith(PREFIX)
        return (meta if ours else backend)(environ, start)

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    supervisor = Supervisor(state)
    instances = LocalInstances(state, supervisor, endpoint=endpoint, region=REGION)
    try:
        moto_api_backend.reset()
        yield Embedded(clients, meta, endpoint, supervisor, instances, state)
    finally:
        instances.stop_all()
        supervisor.stop_all(grace_s=1)
        server.shutdown()
        server.server_close()
        moto_api_backend.reset()
