"""AWS's wire protocols, driven by botocore's service models through moto's routers and serialisers.

A service of ours sees an operation's name and a dictionary of parameters in the model's spelling;
it returns a dictionary in the spelling of the operation's output, or raises ServiceError.
"""

from __future__ import annotations

import uuid
from typing import Any, Protocol

from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response


class ServiceError(Exception):
    """An error in AWS's form.

    `code` is the error's code or its shape's name; `status` the HTTP status, taken from the
    service's model when None (400 for a code that the model does not know).
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class NotOurs(Exception):  # noqa: N818 - a signal, not an error
    """Raised by a service for an operation that moto answers well enough."""


class Service(Protocol):
    """One AWS service of ours."""

    #: botocore's name of the service (`sqs`); requests are matched by its signing name.
    name: str

    def handle(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """Answer `operation` (API spelling, `SendMessage`).

        Raises: ServiceError; NotOurs to hand the request on to moto.
        """


def unknown_operation(service: str, operation: str) -> ServiceError:
    """Return the error for an operation that a service of ours does not have."""
    return ServiceError(
        "InvalidAction", f"The embedded AWS has no operation {operation!r} of service {service!r}"
    )


def respond(service: Service, request: Request) -> Response:
    """Return the service's answer to an HTTP request.

    Raises: NotOurs when the service hands the operation on.
    """
    model = get_service_model(service.name)
    try:
        operation, labels = get_service_router(service.name).match(request)
    except (HTTPException, NotImplementedError):
        name = request.values.get("Action") or request.headers.get("X-Amz-Target", request.path)
        error = unknown_operation(service.name, name)
        return _serialise(request, OperationModel({}, model), error)
    result: Any
    try:
        result = service.handle(operation.name, _parse(request, operation, labels))
    except ServiceError as error:
        result = error
    return _serialise(request, operation, result)


def _parse(request: Request, operation: Any, labels: Any) -> dict[str, Any]:
    protocol = determine_request_protocol(operation.service_model, request.content_type)
    parsed: dict[str, Any] = PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.get_data(),
            "url_path": request.path,
            "url_params": labels,
        }
    )
    return parsed


def _serialise(request: Request, operation: Any, result: Any) -> Response:
    model = operation.service_model
    protocol = determine_request_protocol(model, request.content_type)
    request_id = str(uuid.uuid4())
    serialiser = get_serializer_class(model.service_name, protocol)(
        operation, SerializationContext(request_id)
    )
    answer = serialiser.serialize(result)
    status = _status(operation, result) or answer["status_code"]
    headers = {**answer["headers"], "x-amzn-RequestId": request_id}
    return Response(answer["body"], status=status, headers=headers)


def _status(operation: Any, result: Any) -> int | None:
    """Return the HTTP status that an error, or a member such as Lambda's StatusCode, asks for."""
    if isinstance(result, ServiceError):
        return result.status
    shape = operation.output_shape
    for name, member in (shape.members if shape else {}).items():
        if member.serialization.get("location") == "statusCode" and name in result:
            return int(result[name])
    return None
