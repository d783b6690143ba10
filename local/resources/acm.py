"""AWS::CertificateManager::Certificate."""

from __future__ import annotations

from local.resources.base import Context
from local.resources.calls import dropped_tags, tag_list
from local.resources.kind import Kind, Properties


class Certificate(Kind):
    """A requested certificate. Locally it counts as issued without DNS being asked."""

    type_name = "AWS::CertificateManager::Certificate"
    properties = frozenset(
        {
            "DomainName",
            "DomainValidationOptions",
            "SubjectAlternativeNames",
            "Tags",
            "ValidationMethod",
        }
    )
    replace_on = frozenset(
        {"DomainName", "DomainValidationOptions", "SubjectAlternativeNames", "ValidationMethod"}
    )

    def make(self, context: Context, properties: Properties) -> str:
        domain = properties["DomainName"]
        names = properties.get("SubjectAlternativeNames") or [domain]
        answer = context.clients.client("acm").request_certificate(
            DomainName=domain,
            ValidationMethod=properties.get("ValidationMethod", "DNS"),
            SubjectAlternativeNames=names,
        )
        return str(answer["CertificateArn"])

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        acm = context.clients.client("acm")
        if dropped := dropped_tags(old, new):
            gone = [{"Key": key} for key in dropped]
            acm.remove_tags_from_certificate(CertificateArn=physical_id, Tags=gone)
        if tags := tag_list(new):
            acm.add_tags_to_certificate(CertificateArn=physical_id, Tags=tags)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("acm").delete_certificate(CertificateArn=physical_id)


HANDLERS = (Certificate(),)
