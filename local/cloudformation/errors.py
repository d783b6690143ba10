"""Errors of the CloudFormation service, as AWS words them: the cdk CLI reads the texts."""

from __future__ import annotations

from local.protocol import ServiceError

NO_CHANGES = (
    "The submitted information didn't contain changes. "
    "Submit different information to create a change set."
)


class DeploymentError(Exception):
    """A stack operation fails; the text is the reason that the operator reads."""


def validation(message: str) -> ServiceError:
    """Return the error for a request that makes no sense."""
    return ServiceError("ValidationError", message, 400)


def no_such_stack(name: str) -> ServiceError:
    """Return the error for a stack that does not exist."""
    return validation(f"Stack with id {name} does not exist")


def no_such_change_set(name: str) -> ServiceError:
    """Return the error for a change set that does not exist."""
    return ServiceError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)
