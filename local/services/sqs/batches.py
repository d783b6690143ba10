"""Batch operations: each entry on its own, one answer for all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from local.protocol import ServiceError
from local.services.sqs import errors
from local.services.sqs.attributes import MAX_MESSAGE_BYTES
from local.services.sqs.delivery import MessageOperations
from local.services.sqs.message import size_of
from local.services.sqs.store import QueueRecord, Store

MAX_ENTRIES = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")

Params = Mapping[str, Any]


class BatchOperations:
    """One method an operation; all run under the store's lock."""

    def __init__(self, store: Store, messages: MessageOperations) -> None:
        self._store = store
        self._messages = messages

    def send_message_batch(self, params: Params) -> dict[str, Any]:
        """Send up to ten messages of at most 1 MiB together."""
        return self._each(params, "SendMessageBatchRequestEntry", self._messages.send, whole=True)

    def delete_message_batch(self, params: Params) -> dict[str, Any]:
        """Delete up to ten messages."""
        return self._each(params, "DeleteMessageBatchRequestEntry", self._messages.delete)

    def change_message_visibility_batch(self, params: Params) -> dict[str, Any]:
        """Change the visibility of up to ten messages."""
        return self._each(
            params, "ChangeMessageVisibilityBatchRequestEntry", self._messages.change_visibility
        )

    def _each(
        self,
        params: Params,
        entry_name: str,
        act: Callable[[QueueRecord, Params], dict[str, Any] | None],
        whole: bool = False,
    ) -> dict[str, Any]:
        record = self._store.at(params.get("QueueUrl"))
        entries = params.get("Entries") or []
        _check_entries(entries, entry_name)
        if whole:
            _check_total(entries)
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in entries:
            try:
                answer["Successful"].append({"Id": entry["Id"], **(act(record, entry) or {})})
            except ServiceError as error:
                failure = {"SenderFault": True, "Code": error.code, "Message": error.message}
                answer["Failed"].append({"Id": entry["Id"], **failure})
        return {name: items for name, items in answer.items() if items}


def _check_entries(entries: list[Params], entry_name: str) -> None:
    if not entries:
        raise errors.batch(
            "EmptyBatchRequest", f"There should be at least one {entry_name} in the request."
        )
    if len(entries) > MAX_ENTRIES:
        raise errors.batch(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {MAX_ENTRIES}. "
            f"You have sent {len(entries)}.",
        )
    seen: set[str] = set()
    for entry in entries:
        identifier = entry.get("Id") or ""
        if not _ID.fullmatch(identifier):
            raise errors.batch(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and "
                "underscores. It can be at most 80 letters long.",
            )
        if identifier in seen:
            raise errors.batch("BatchEntryIdsNotDistinct", f"Id {identifier} repeated.")
        seen.add(identifier)


def _check_total(entries: list[Params]) -> None:
    total = sum(
        size_of(entry.get("MessageBody") or "", entry.get("MessageAttributes") or {})
        for entry in entries
    )
    if total > MAX_MESSAGE_BYTES:
        raise errors.batch(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {MAX_MESSAGE_BYTES} bytes. "
            f"You have sent {total} bytes.",
        )
