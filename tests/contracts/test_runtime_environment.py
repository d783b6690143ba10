"""Every variable that a runtime's own settings model requires is set by the templates."""

from __future__ import annotations

import pytest

from config.contracts import environment as names
from config.contracts.api_paths import HEALTH
from config.contracts.names import (
    API_CONTAINER,
    API_ENV_FILE,
    IMAGES,
    worker_group_name,
)
from config.contracts.parameters import environment_path, kind_path, parse_secret_reference
from config.contracts.queues import QUEUES
from config.settings import load_settings
from lambdas.health_canary.environment import load_settings as load_canary_settings
from lambdas.queue_depth_metric.environment import load_settings as load_function_settings
from tests.conftest import Templates
from tests.templates import (
    container_variables,
    only,
    parameters,
    properties,
    statements,
    text,
    user_data,
)
from worker_images.base.settings import load_worker_settings
from worker_images.video.settings import load_video_settings


def role_environment(templates: Templates, environment: str, role: str) -> dict[str, str]:
    """Return a role's parameters, whichever stack writes them."""
    path = environment_path(environment, role)
    return {
        key: value
        for template in templates.values()
        for key, value in parameters(template, path).items()
    }


def fleet_variables(templates: Templates, kind: str) -> dict[str, str]:
    """Return what a fleet's boot script gives its container."""
    return container_variables(user_data(templates[kind]), IMAGES[kind])


@pytest.mark.parametrize(("role", "required"), [("workers", names.WORKERS), ("api", names.API)])
def test_every_required_variable_has_a_parameter(
    templates: Templates, environment: str, role: str, required: tuple[str, ...]
) -> None:
    found = role_environment(templates, environment, role)
    assert [key for key in required if not found.get(key)] == []
    assert set(found) <= {*required, *names.OPTIONAL}


def test_r2_credentials_are_there_exactly_where_the_store_is_r2(
    templates: Templates, environment: str
) -> None:
    found = role_environment(templates, environment, "workers")
    expected = set(names.R2_CREDENTIALS) if found["STORAGE_PROVIDER"] == "r2" else set()
    assert set(found) & set(names.R2_CREDENTIALS) == expected


@pytest.mark.parametrize("role", ["workers", "api"])
def test_secrets_are_stored_as_references(
    templates: Templates, environment: str, role: str
) -> None:
    found = role_environment(templates, environment, role)
    secret = {key for key, value in found.items() if parse_secret_reference(value)}
    assert {*names.SECRETS, "DB_USER"} & set(found) == secret


def test_the_worker_and_the_video_settings_load_from_what_the_templates_give(
    templates: Templates, environment: str
) -> None:
    given = role_environment(templates, environment, "workers") | fleet_variables(
        templates, "video"
    )
    settings = load_settings(environment)
    # Known only after the deploy; the runtime wants a number there.
    given["DB_PORT"] = given["REDIS_PORT"] = "5432"
    worker, video = load_worker_settings(given), load_video_settings(given)
    assert worker.group_name == worker_group_name(environment, "video")
    assert worker.queue_names == {queue.key: queue.physical(environment) for queue in QUEUES}
    assert worker.visibility_timeout_s == settings.queues["video"].visibility_timeout_s
    assert worker.idle_s == settings.workers["video"].idle_s
    assert [rung.short_side for rung in video.ladder] == [360, 720, 1080]
    assert video.segment_s == 6


OWN = {"video": names.VIDEO_FLEET, "ai": names.AI_FLEET, "messaging": names.MESSAGING_FLEET}


def test_a_fleets_boot_script_gives_what_its_kind_is_told_and_nothing_else(
    templates: Templates, environment: str
) -> None:
    for kind in load_settings(environment).workers:
        given = fleet_variables(templates, kind)
        assert set(given) == {*names.WORKER_FLEET, *OWN[kind]}
        assert all(given.values()), kind


def test_messaging_alone_renders_and_reads_the_providers_credentials(
    templates: Templates, environment: str
) -> None:
    settings = load_settings(environment)
    path = kind_path(environment, "messaging")
    found = {
        name: parse_secret_reference(value)
        for name, value in parameters(templates["configuration"], path).items()
    }
    keys = names.MESSAGING_CREDENTIALS[settings.messaging.provider]
    assert {name: each and each[1] for name, each in found.items()} == keys
    secret = settings.messaging.credentials_secret_name or "MessagingCredentials"
    for kind in settings.workers:
        template = templates[kind]
        assert (f"--path {path} " in user_data(template)) == (kind == "messaging")
        assert (secret in text(statements(template))) == (kind == "messaging")


def test_the_metric_function_loads_its_settings_from_the_template(
    templates: Templates, environment: str
) -> None:
    function = only(templates["scaling"], "AWS::Lambda::Function")
    given = {key: text(value) for key, value in function["Environment"]["Variables"].items()}
    assert set(given) == set(names.METRIC_FUNCTION)
    # Both are another stack's output; the rest is what the function will read.
    given["LAMBDA_INTERNAL_API_KEY"] = "arn:aws:secretsmanager:ap-northeast-2:1:secret:key"
    if environment == "local":
        assert given["VIDEO_BACKLOG_API_URL"].startswith("http://<")
        given["VIDEO_BACKLOG_API_URL"] = "http://localhost:8000"
    loaded = load_function_settings(given)
    assert [(fleet.kind, fleet.group) for fleet in loaded.fleets] == [
        (kind, worker_group_name(environment, kind)) for kind in load_settings(environment).workers
    ]
    assert list(loaded.fleets[0].queues) == [QUEUES[0].physical(environment)]


def test_the_internal_key_reaches_the_function_as_an_arn_alone(templates: Templates) -> None:
    variables = only(templates["scaling"], "AWS::Lambda::Function")["Environment"]["Variables"]
    assert "LambdaInternalApiKey" in text(variables["LAMBDA_INTERNAL_API_KEY"])
    assert "Ref" in text(variables["LAMBDA_INTERNAL_API_KEY"])


def test_tasks_get_every_variable_that_the_api_requires(templates: Templates) -> None:
    for task in properties(templates["api"], "AWS::ECS::TaskDefinition"):
        for container in task["ContainerDefinitions"]:
            given = {secret["Name"] for secret in container["Secrets"]}
            assert set(names.API) <= given, container["Name"]


def test_instances_render_the_apis_path_into_the_documented_file(
    templates: Templates, environment: str
) -> None:
    if load_settings(environment).api.compute != "ec2":
        return
    script = user_data(templates["api"])
    assert f"--role api --path {environment_path(environment, 'api')} >{API_ENV_FILE}" in script
    assert f"--name {API_CONTAINER} -p 8000:8000" in script


def test_the_canary_loads_its_settings_from_the_template(
    templates: Templates, environment: str
) -> None:
    function = only(templates["monitoring"], "AWS::Lambda::Function")
    given = {key: text(value) for key, value in function["Environment"]["Variables"].items()}
    assert set(given) == set(names.HEALTH_CANARY)
    if environment == "local":
        assert given["HEALTH_URL"].startswith("http://<")
        given["HEALTH_URL"] = "http://localhost:8000/health"
    assert load_canary_settings(given).environment == environment
    assert given["HEALTH_URL"].endswith(HEALTH)
