"""Defects of moto 5.2 that the platform would notice, mended in place; one function a defect."""

from __future__ import annotations

import json
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.responses import ActionResult
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.rds.exceptions import DBParameterGroupNotFoundError
from moto.rds.models import DBInstance
from moto.rds.responses import RDSResponse
from moto.s3.models import FakeBucket
from moto.secretsmanager.models import SecretsManagerBackend

from local.services import cloudwatch_repairs, ec2_repairs, logs_repairs

_BUCKET: Any = FakeBucket
_FUNCTION: Any = LambdaFunction
_DATABASE: Any = DBInstance
_DATABASE_CALLS: Any = RDSResponse
_IDENTITIES: Any = IAMBackend
_SECRETS: Any = SecretsManagerBackend

_repaired: set[str] = set()


def apply() -> None:
    """Apply every repair; a second call changes nothing."""
    for repair in (
        conditional_bucket_policies_are_not_enforced,
        cloudwatch_repairs.composite_alarms_can_be_put,
        cloudwatch_repairs.alarms_keep_their_state_when_put_again,
        cloudwatch_repairs.alarms_are_those_of_a_state_by_name_too,
        cloudwatch_repairs.statistics_are_of_one_metric,
        cloudwatch_repairs.data_queries_are_of_one_metric_each,
        cloudwatch_repairs.metrics_are_listed_once,
        cloudwatch_repairs.states_are_set_with_a_reason_of_bounded_length,
        functions_keep_their_whole_configuration,
        databases_answer_their_real_endpoint,
        database_parameters_can_be_reset,
        the_secret_version_labelled_current_is_the_one_read,
        policies_of_aws_exist,
        ec2_repairs.rules_between_groups_show_their_description,
        ec2_repairs.launch_templates_show_their_present_tags,
        ec2_repairs.later_launch_template_versions_can_be_launched,
        ec2_repairs.instances_say_when_they_were_started_last,
        logs_repairs.embedded_metrics_become_metrics,
        logs_repairs.events_are_found_by_prefix_and_pattern_in_time_order,
    ):
        if repair.__name__ not in _repaired:
            repair()
            _repaired.add(repair.__name__)


def conditional_bucket_policies_are_not_enforced() -> None:
    """Leave statements with a Condition out of a bucket policy's enforcement.

    moto ignores the Condition itself and takes `Deny unless aws:SecureTransport` for an
    unconditional Deny, which locks everybody out. Locally all traffic is plain HTTP on
    loopback, so the real evaluation would lock everybody out as well. The whole policy is
    still stored and read back.
    """

    def get_permission(bucket: Any, action: str, resource: str) -> Any:
        if bucket.policy is None:
            return PermissionResult.NEUTRAL
        document = json.loads(bucket.policy)
        statements = document["Statement"]
        if isinstance(statements, dict):
            statements = [statements]
        document["Statement"] = [s for s in statements if not s.get("Condition")]
        return IAMPolicy(json.dumps(document)).is_action_permitted(action, resource)

    _BUCKET.get_permission = get_permission


def functions_keep_their_whole_configuration() -> None:
    """Keep a function's LoggingConfig and DeadLetterConfig, and update what moto skips.

    moto drops both at creation, and EphemeralStorage, TracingConfig and Architectures on update.
    """
    names = ("LoggingConfig", "DeadLetterConfig")
    init, read = _FUNCTION.__init__, _FUNCTION.get_configuration
    configure, load = _FUNCTION.update_configuration, _FUNCTION.update_function_code

    def construct(function: Any, account_id: str, spec: Any, *args: Any, **others: Any) -> None:
        init(function, account_id, spec, *args, **others)
        function.kept = {name: spec[name] for name in names if name in spec}

    def get_configuration(function: Any, on_create: bool = False) -> Any:
        logging = {"LogFormat": "Text", "LogGroup": function.logs_group_name}
        configuration = {**read(function, on_create), **function.kept}
        configuration["LoggingConfig"] = {**logging, **function.kept.get("LoggingConfig", {})}
        return configuration

    def update_configuration(function: Any, updates: Any) -> Any:
        function.kept = {**function.kept, **{n: updates[n] for n in names if n in updates}}
        if "EphemeralStorage" in updates:
            function.ephemeral_storage = updates["EphemeralStorage"]["Size"]
        if "TracingConfig" in updates:
            function.tracing_config = updates["TracingConfig"]
        return configure(function, updates)

    def update_function_code(function: Any, spec: Any) -> Any:
        if "Architectures" in spec:
            function.architectures = spec["Architectures"]
        return load(function, spec)

    _FUNCTION.__init__ = construct
    _FUNCTION.get_configuration = get_configuration
    _FUNCTION.update_configuration = update_configuration
    _FUNCTION.update_function_code = update_function_code


def databases_answer_their_real_endpoint() -> None:
    """Let DescribeDBInstances answer the host that `addresses.show_database` set."""
    invented = _DATABASE.address.fget

    def address(database: Any) -> str:
        return str(getattr(database, "local_host", None) or invented(database))

    _DATABASE.address = property(address)


def database_parameters_can_be_reset() -> None:
    """Serve ResetDBParameterGroup, which moto lacks: named parameters are the engine's again."""

    def reset_db_parameter_group(response: Any) -> Any:
        name = response.params.get("DBParameterGroupName")
        group = response.backend.db_parameter_groups.get(name)
        if group is None:
            raise DBParameterGroupNotFoundError(name)
        for parameter in response.params.get("Parameters", []):
            group.parameters.pop(parameter.original_dict()["ParameterName"], None)
        return ActionResult({"DBParameterGroupName": name})

    _DATABASE_CALLS.reset_db_parameter_group = reset_db_parameter_group


def the_secret_version_labelled_current_is_the_one_read() -> None:
    """Let GetSecretValue without a version follow AWSCURRENT when that label moves."""
    move = _SECRETS.update_secret_version_stage

    def update_secret_version_stage(backend: Any, **given: Any) -> Any:
        answer = move(backend, **given)
        if given["version_stage"] == "AWSCURRENT" and given["move_to_version_id"]:
            secret = backend.secrets[given["secret_id"]]
            secret.set_default_version_id(given["move_to_version_id"])
        return answer

    _SECRETS.update_secret_version_stage = update_secret_version_stage


def policies_of_aws_exist() -> None:
    """Load AWS's own managed policies, which moto has and leaves out unless told otherwise.

    They are parsed once, and loaded for the partition `aws` alone; moto would do it for every
    partition at every reset, at 0.2 s of CPU each.
    """
    parsed = json.loads(aws_managed_policies_data)

    def load(backend: Any) -> list[Any]:
        if backend.region_name != "aws":
            return []
        return [
            AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
            for name, data in parsed.items()
        ]

    _IDENTITIES._init_aws_policies = load
