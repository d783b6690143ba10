"""AWS::Lambda: functions. Their code is the deployed zip; the function host runs it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from local.resources.base import Context
from local.resources.calls import InvalidPropertyError, call, dropped_tags, tag_map
from local.resources.kind import Kind, Properties, changed

_CONFIGURATION = frozenset(
    {
        "DeadLetterConfig",
        "Description",
        "Environment",
        "EphemeralStorage",
        "Handler",
        "Layers",
        "LoggingConfig",
        "MemorySize",
        "Role",
        "Runtime",
        "Timeout",
        "TracingConfig",
        "VpcConfig",
    }
)
#: What a function goes back to when its template no longer says anything.
_DEFAULTS = {
    "DeadLetterConfig": {},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "Layers": [],
    "LoggingConfig": {"LogFormat": "Text"},
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}


class Function(Kind):
    """A zip function, from the asset bucket or inline."""

    type_name = "AWS::Lambda::Function"
    properties = _CONFIGURATION | {
        "Architectures",
        "Code",
        "FunctionName",
        "ReservedConcurrentExecutions",
        "Tags",
    }
    replace_on = frozenset({"FunctionName"})

    def make(self, context: Context, properties: Properties) -> str:
        name = str(properties.get("FunctionName") or context.unique_name())
        values = {n: properties[n] for n in _CONFIGURATION if n in properties}
        values |= {"FunctionName": name, "Code": _code(properties)}
        if "Architectures" in properties:
            values["Architectures"] = properties["Architectures"]
        call(context.clients.client("lambda"), "CreateFunction", values)
        return name

    def change(self, context: Context, physical_id: str, old: Properties, new: Properties) -> None:
        functions = context.clients.client("lambda")
        name = {"FunctionName": physical_id}
        if old and (changed("Code", old, new) or changed("Architectures", old, new)):
            values = {**name, **_code(new)}
            values["Architectures"] = new.get("Architectures", ["x86_64"])
            call(functions, "UpdateFunctionCode", values)
        settings = {n for n in _CONFIGURATION if changed(n, old, new)} if old else set()
        if settings:
            values = {n: new[n] if n in new else _DEFAULTS[n] for n in settings}
            call(functions, "UpdateFunctionConfiguration", {**name, **values})
        if changed("ReservedConcurrentExecutions", old, new):
            if "ReservedConcurrentExecutions" in new:
                reserved = int(new["ReservedConcurrentExecutions"])
                functions.put_function_concurrency(**name, ReservedConcurrentExecutions=reserved)
            else:
                functions.delete_function_concurrency(**name)
        arn = _arn(context, physical_id)
        if dropped := dropped_tags(old, new):
            functions.untag_resource(Resource=arn, TagKeys=dropped)
        if tags := tag_map(new):
            functions.tag_resource(Resource=arn, Tags=tags)

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("lambda").delete_function(FunctionName=physical_id)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Arn": _arn(context, physical_id)}


def _arn(context: Context, name: str) -> str:
    return f"arn:aws:lambda:{context.region}:{context.account}:function:{name}"


def _code(properties: Properties) -> dict[str, Any]:
    """Return the API's Code: the S3 object, or inline source zipped as CloudFormation does.

    Raises: InvalidPropertyError for an image or an S3 object without bucket and key.
    """
    code: Mapping[str, Any] = properties["Code"]
    if "ZipFile" in code:
        suffix = "js" if str(properties["Runtime"]).startswith("nodejs") else "py"
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as writer:
            writer.writestr(f"index.{suffix}", str(code["ZipFile"]))
        return {"ZipFile": archive.getvalue()}
    if not {"S3Bucket", "S3Key"} <= code.keys():
        raise InvalidPropertyError(
            f"Code has {sorted(code)}; allowed: ZipFile, or S3Bucket and S3Key"
        )
    return dict(code)


class Permission(Kind):
    """One statement of a function's policy. Stored, not enforced."""

    type_name = "AWS::Lambda::Permission"
    properties = frozenset(
        {"Action", "EventSourceToken", "FunctionName", "Principal", "SourceAccount", "SourceArn"}
    )
    replace_on = properties

    def make(self, context: Context, properties: Properties) -> str:
        statement = context.unique_name(max_length=100)
        values = {**properties, "StatementId": statement}
        call(context.clients.client("lambda"), "AddPermission", values)
        return statement

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        context.clients.client("lambda").remove_permission(
            FunctionName=properties["FunctionName"], StatementId=physical_id
        )

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"Id": physical_id}


class Version(Kind):
    """A published version; its physical id is the versioned ARN."""

    type_name = "AWS::Lambda::Version"
    properties = frozenset({"CodeSha256", "Description", "FunctionName"})
    replace_on = properties

    def make(self, context: Context, properties: Properties) -> str:
        answer = call(context.clients.client("lambda"), "PublishVersion", properties)
        return f"{_arn(context, answer['FunctionName'])}:{answer['Version']}"

    def remove(self, context: Context, physical_id: str, properties: Properties) -> None:
        arn, version = physical_id.rsplit(":", 1)
        context.clients.client("lambda").delete_function(FunctionName=arn, Qualifier=version)

    def attributes(
        self, context: Context, physical_id: str, properties: Properties
    ) -> dict[str, object]:
        return {"FunctionArn": physical_id, "Version": physical_id.rsplit(":", 1)[-1]}


HANDLERS = (Function(), Permission(), Version())
