"""Operations on queues: create, look up, describe, change, tag, purge, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.clock import Clock
from local.services.sqs import errors
from local.services.sqs.attributes import DEFAULTS, allows_source, check_name, checked, redrive_of
from local.services.sqs.message import State
from local.services.sqs.store import QueueRecord, Store

PURGE_INTERVAL_S = 60

Params = Mapping[str, Any]


class QueueOperations:
    """One method an operation; all run under the store's lock."""

    def __init__(self, store: Store, clock: Clock, base_url: Callable[[], str]) -> None:
        self._store = store
        self._clock = clock
        self._base_url = base_url

    def create_queue(self, params: Params) -> dict[str, Any]:
        """Create a queue; the same call again returns the same URL."""
        name = params.get("QueueName") or ""
        check_name(name)
        given = checked(params.get("Attributes") or {})
        record = self._store.named(name)
        if record is None:
            self._check_redrive(name, given)
            attributes = {**DEFAULTS, **given}
            record = self._store.add(name, attributes, self._clock.now())
            record.tags.update(params.get("tags") or {})
        else:
            for attribute, value in given.items():
                if record.attributes.get(attribute, "") != value:
                    raise errors.queue_name_exists(attribute)
        return {"QueueUrl": self._url(record)}

    def get_queue_url(self, params: Params) -> dict[str, Any]:
        """Return the URL of a name."""
        record = self._store.named(params.get("QueueName") or "")
        if record is None:
            raise errors.no_such_queue()
        return {"QueueUrl": self._url(record)}

    def list_queues(self, params: Params) -> dict[str, Any]:
        """Return URLs, by prefix, page by page."""
        prefix = params.get("QueueNamePrefix") or ""
        names = [record.name for record in self._store if record.name.startswith(prefix)]
        names = [name for name in names if name > (params.get("NextToken") or "")]
        limit = params.get("MaxResults") or 1000
        page = [record for name in names[:limit] if (record := self._store.named(name))]
        answer: dict[str, Any] = {"QueueUrls": [self._url(r) for r in page]} if page else {}
        if len(names) > limit:
            answer["NextToken"] = names[limit - 1]
        return answer

    def delete_queue(self, params: Params) -> dict[str, Any]:
        """Delete a queue and its messages."""
        self._store.remove(self._store.at(params.get("QueueUrl")))
        return {}

    def get_queue_attributes(self, params: Params) -> dict[str, Any]:
        """Return the attributes asked for; none asked for, none returned."""
        record = self._store.at(params.get("QueueUrl"))
        values = self._attributes(record)
        wanted = params.get("AttributeNames") or []
        known = {*values, "Policy", "RedrivePolicy", "RedriveAllowPolicy", "All"}
        for name in wanted:
            if name not in known:
                raise errors.unknown_attribute(name)
        if "All" not in wanted:
            values = {name: values[name] for name in wanted if name in values}
        return {"Attributes": values}

    def set_queue_attributes(self, params: Params) -> dict[str, Any]:
        """Change attributes; an empty policy takes it away."""
        record = self._store.at(params.get("QueueUrl"))
        given = checked(params.get("Attributes") or {})
        self._check_redrive(record.name, given)
        record.attributes.update(given)
        record.modified_at = self._clock.now()
        record.messages.retention_s = record.seconds("MessageRetentionPeriod")
        return {}

    def purge_queue(self, params: Params) -> dict[str, Any]:
        """Delete all messages of a queue, at most once a minute."""
        record = self._store.at(params.get("QueueUrl"))
        now = self._clock.now()
        if record.purged_at is not None and now - record.purged_at < PURGE_INTERVAL_S:
            raise errors.batch(
                "PurgeQueueInProgress",
                f"Only one PurgeQueue operation on {record.name} is allowed every "
                f"{PURGE_INTERVAL_S} seconds.",
            )
        record.messages.purge()
        record.purged_at = now
        return {}

    def tag_queue(self, params: Params) -> dict[str, Any]:
        """Add or change tags."""
        self._store.at(params.get("QueueUrl")).tags.update(params.get("Tags") or {})
        return {}

    def untag_queue(self, params: Params) -> dict[str, Any]:
        """Remove tags; an absent one is fine."""
        record = self._store.at(params.get("QueueUrl"))
        for key in params.get("TagKeys") or []:
            record.tags.pop(key, None)
        return {}

    def list_queue_tags(self, params: Params) -> dict[str, Any]:
        """Return a queue's tags."""
        tags = self._store.at(params.get("QueueUrl")).tags
        return {"Tags": dict(tags)} if tags else {}

    def list_dead_letter_source_queues(self, params: Params) -> dict[str, Any]:
        """Return the queues that redrive to this one."""
        sources = self._store.sources_of(self._store.at(params.get("QueueUrl")))
        return {"queueUrls": [self._url(source) for source in sources]}

    def _url(self, record: QueueRecord) -> str:
        return f"{self._base_url()}/{self._store.account}/{record.name}"

    def _attributes(self, record: QueueRecord) -> dict[str, str]:
        messages = record.messages
        messages.advance(self._clock.now())
        return {
            **{name: value for name, value in record.attributes.items() if value != ""},
            "QueueArn": record.arn,
            "CreatedTimestamp": str(int(record.created_at)),
            "LastModifiedTimestamp": str(int(record.modified_at)),
            "ApproximateNumberOfMessages": str(messages.count(State.READY)),
            "ApproximateNumberOfMessagesNotVisible": str(messages.count(State.IN_FLIGHT)),
            "ApproximateNumberOfMessagesDelayed": str(messages.count(State.DELAYED)),
        }

    def _check_redrive(self, name: str, attributes: Mapping[str, str]) -> None:
        redrive = redrive_of(attributes)
        if redrive is None:
            return
        target = self._store.of_arn(redrive.target_arn)
        source_arn = f"arn:aws:sqs:{self._store.region}:{self._store.account}:{name}"
        reason = None
        if target is None or target.name == name:
            reason = "Dead letter target does not exist."
        elif not allows_source(target.attributes, source_arn):
            reason = "The dead letter queue's RedriveAllowPolicy does not allow this source."
        if reason:
            raise errors.invalid_value(
                f"Value {attributes['RedrivePolicy']} for parameter RedrivePolicy is invalid. "
                f"Reason: {reason}"
            )
