"""The staff's texts. A text or a reservation of another tenant is a 404."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.contracts import phone_numbers
from config.contracts.carrier_text import Unsendable, check_alimtalk, fill, kind_of, tidy
from config.contracts.text_messages import MessageMode
from worker_images.api import texts
from worker_images.api.models import TextMessage

_RECIPIENTS = 1000
_KEY_CHARACTERS = 200
_TEXT_CHARACTERS = 4000
_NAME_CHARACTERS = 100
_FURTHEST = timedelta(days=366)


class _Moment(serializers.DateTimeField):
    """A moment with its offset: without one, nine in the morning would be nine in London."""

    default_error_messages = {  # noqa: RUF012 - DRF's way
        "offset": "시간대가 필요합니다. 예: 2026-03-02T09:00:00+09:00",
        "far": "1년 안의 시각이어야 합니다.",
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("offset")
        if value > timezone.now() + _FURTHEST:
            self.fail("far")
        return value


class RecipientRequest(serializers.Serializer[Any]):
    """One recipient, and what `#{name}` stands for in that person's text."""

    to = serializers.CharField(max_length=30)
    alimtalk_replacements = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=_TEXT_CHARACTERS),
        required=False,
        default=dict,
    )

    def validate_to(self, value: str) -> str:
        try:
            return phone_numbers.recipient(value)
        except phone_numbers.NotANumber as error:
            raise serializers.ValidationError(str(error)) from error


class TextsRequest(serializers.Serializer[Any]):
    """Body of messages/. `send_at` in the past is now."""

    idempotency_key = serializers.CharField(max_length=_KEY_CHARACTERS)
    recipients = RecipientRequest(many=True, allow_empty=False, max_length=_RECIPIENTS)
    text = serializers.CharField(max_length=_TEXT_CHARACTERS, trim_whitespace=False)
    sender = serializers.CharField(max_length=30)
    message_mode = serializers.ChoiceField(
        choices=[mode.value for mode in MessageMode], default=MessageMode.SMS.value
    )
    template_id = serializers.CharField(
        max_length=_NAME_CHARACTERS, required=False, allow_blank=True, default=""
    )
    reservation_id = serializers.RegexField(
        r"^[\w.:-]*\Z", max_length=_NAME_CHARACTERS, required=False, allow_blank=True, default=""
    )
    send_at = _Moment(required=False, allow_null=True, default=None)

    def validate_sender(self, value: str) -> str:
        try:
            return phone_numbers.sender(value)
        except phone_numbers.NotANumber as error:
            raise serializers.ValidationError(str(error)) from error

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        mode = MessageMode(attrs["message_mode"])
        if mode is not MessageMode.SMS and not attrs["template_id"]:
            raise serializers.ValidationError({"template_id": ["알림톡에는 템플릿이 필요합니다."]})
        numbers = [recipient["to"] for recipient in attrs["recipients"]]
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        if twice:
            raise serializers.ValidationError({"recipients": [f"중복된 번호: {', '.join(twice)}"]})
        attrs["filled"] = [_filled(attrs["text"], each, mode) for each in attrs["recipients"]]
        return attrs


class Messages(APIView):
    """`POST messages/`: send texts now or at a time; the same call again sends nothing more."""

    def post(self, request: Request) -> Response:
        body = TextsRequest(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        order = texts.Order(
            tenant_id=request.user.tenant_id,
            idempotency_key=values["idempotency_key"],
            recipients=values["filled"],
            sender=values["sender"],
            mode=MessageMode(values["message_mode"]),
            template_id=values["template_id"],
            reservation_id=values["reservation_id"],
            send_at=values["send_at"],
        )
        taken = texts.accept(order)
        answer = {
            "reservation_id": taken[0].reservation_id,
            "messages": [describe(text) for text in taken],
        }
        return Response(answer, status=status.HTTP_202_ACCEPTED)


class Message(APIView):
    """`GET messages/{id}/`: what became of a text."""

    def get(self, request: Request, text_id: UUID) -> Response:
        text = texts.find(request.user.tenant_id, text_id)
        if text is None:
            raise Http404
        return Response(describe(text))


class CancelReservation(APIView):
    """`POST reservations/{id}/cancel/`: what nobody has begun to send is never sent."""

    def post(self, request: Request, reservation_id: str) -> Response:
        counts = texts.cancel(request.user.tenant_id, reservation_id)
        if counts is None:
            raise Http404
        now = counts.pop("cancelled_now")
        return Response(
            {"reservation_id": reservation_id, "cancelled_now": now, "messages": counts}
        )


def describe(text: TextMessage) -> dict[str, object]:
    """Return a text as the API shows it."""
    return {
        "id": str(text.pk),
        "to": text.recipient,
        "status": text.state,
        "step": text.step,
        "message_mode": text.mode,
        "channel": text.channel,
        "provider": text.provider,
        "provider_reference": text.provider_reference,
        "reservation_id": text.reservation_id,
        "send_at": text.send_at,
        "created_at": text.created_at,
        "finished_at": text.finished_at,
        "error_code": text.error_code,
        "error_message": text.error_message,
    }


def _filled(text: str, recipient: dict[str, Any], mode: MessageMode) -> texts.Recipient:
    """Return a recipient with the text that goes there. Raises: ValidationError."""
    replacements = recipient["alimtalk_replacements"]
    filled = fill(text, replacements)
    try:
        if mode is not MessageMode.SMS:
            check_alimtalk(filled)
        if mode is not MessageMode.ALIMTALK:
            kind_of(tidy(filled))
    except Unsendable as error:
        message = f"{phone_numbers.masked(recipient['to'])}: {error}"
        raise serializers.ValidationError({"text": [message]}) from error
    return texts.Recipient(recipient["to"], filled, replacements)
