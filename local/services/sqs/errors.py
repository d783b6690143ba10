"""The service's errors, as AWS words them. Code: the query protocol's, which SDKs report."""

from __future__ import annotations

from local.protocol import ServiceError

_PREFIX = "AWS.SimpleQueueService."


def no_such_queue() -> ServiceError:
    """Return the error for a queue that does not exist."""
    return ServiceError(f"{_PREFIX}NonExistentQueue", "The specified queue does not exist.")


def queue_name_exists(attribute: str) -> ServiceError:
    """Return the error for creating an existing queue with other attributes."""
    return ServiceError(
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute "
        f"{attribute}",
    )


def invalid_value(message: str) -> ServiceError:
    """Return the error for a parameter outside its range."""
    return ServiceError("InvalidParameterValue", message)


def missing(parameter: str) -> ServiceError:
    """Return the error for a parameter that is required."""
    return ServiceError("MissingParameter", f"The request must contain the parameter {parameter}.")


def unknown_attribute(name: str) -> ServiceError:
    """Return the error for an attribute that no queue has."""
    return ServiceError("InvalidAttributeName", f"Unknown Attribute {name}.")


def invalid_attribute(name: str, reason: str) -> ServiceError:
    """Return the error for an attribute outside its range."""
    return ServiceError(
        "InvalidAttributeValue", f"Invalid value for the parameter {name}. Reason: {reason}"
    )


def refused(message: str) -> ServiceError:
    """Return the error for what AWS has and this service does not play."""
    return ServiceError(f"{_PREFIX}UnsupportedOperation", message)


def invalid_receipt(receipt: str) -> ServiceError:
    """Return the error for a receipt handle that no queue gave."""
    return ServiceError(
        "ReceiptHandleIsInvalid", f'The input receipt handle "{receipt}" is not valid.'
    )


def batch(code: str, message: str) -> ServiceError:
    """Return one of the errors about a whole batch request."""
    return ServiceError(f"{_PREFIX}{code}", message)
