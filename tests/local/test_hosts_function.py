"""A Lambda invocation really runs the deployed zip, within its time, and logs as Lambda does."""

from __future__ import annotations

import base64
import io
import json
import threading
import zipfile
from collections.abc import Iterator

import pytest

from local.clock import SystemClock
from local.hosts.function import LambdaFunctions
from local.hosts.function_api import LambdaInvocations
from local.hosts.ports import free_port
from local.protocol import ServiceError
from local.server import EmbeddedAws, build
from local.supervisor import Supervisor
from tests.local.waiting import until

ROLE = "arn:aws:iam::123456789012:role/function"


class Lab:
    """An embedded AWS with executed functions."""

    def __init__(self, aws: EmbeddedAws, functions: LambdaFunctions) -> None:
        self.aws = aws
        self.functions = functions

    def deploy(self, name: str, code: str, **more) -> str:
        """Create a function from one module."""
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.writestr("package/__init__.py", "")
            archive.writestr("package/handler.py", code)
        # Lambda's own default of 3 s is short for the start of Python on a busy machine.
        usual = {"Runtime": "python3.13", "Handler": "package.handler.handler", "Timeout": 30}
        self.aws.clients.client("lambda").create_function(
            FunctionName=name, Role=ROLE, Code={"ZipFile": zipped.getvalue()}, **{**usual, **more}
        )
        return name

    def log(self, name: str) -> list[str]:
        """Return the lines of the function's log group."""
        logs = self.aws.clients.client("logs")
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        return [event["message"] for event in events]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One for the module; functions have names of their own."""
    state = tmp_path_factory.mktemp("state")
    supervisor = Supervisor(state)
    aws = build(port=free_port(), clock=SystemClock())
    functions = LambdaFunctions(state, supervisor, aws.clients, endpoint=aws.endpoint)
    aws.application.add(LambdaInvocations(functions))
    aws.start()
    iam = aws.clients.client("iam")
    iam.create_role(RoleName="function", AssumeRolePolicyDocument="{}")
    yield Lab(aws, functions)
    aws.stop()
    supervisor.stop_all(grace_s=0.5)


def test_the_handler_gets_event_environment_and_credentials_and_calls_this_aws(lab):
    code = (
        "import os, boto3\n"
        "def handler(event, context):\n"
        "    print('working on', event['x'])\n"
        "    assert context.get_remaining_time_in_millis() > 1000\n"
        "    who = boto3.client('sts').get_caller_identity()['Account']\n"
        "    return {'x': event['x'] + 1, 'v': os.environ['SETTING'], 'who': who,\n"
        "            'home': os.environ.get('HOME'), 'arn': context.invoked_function_arn}\n"
    )
    name = lab.deploy("adds", code, Environment={"Variables": {"SETTING": "s"}}, Timeout=30)
    answer = lab.functions.invoke(name, {"x": 1})
    assert answer.error is None, answer.payload
    arn = answer.payload.pop("arn")
    assert answer.payload == {"x": 2, "v": "s", "who": "123456789012", "home": None}
    assert lab.functions.invoke(arn, {"x": 2}).payload["x"] == 3
    lines = lab.log(name)
    assert [line.split(" ")[0] for line in lines[:4]] == ["START", "working", "END", "REPORT"]
    assert lines[1] == "working on 1"


def test_an_exception_is_answered_in_lambdas_form_over_the_api(lab):
    name = lab.deploy("raises", "def handler(event, context):\n    raise KeyError('lost')\n")
    answer = lab.aws.clients.client("lambda").invoke(
        FunctionName=name, Payload=b"{}", LogType="Tail"
    )
    payload = json.load(answer["Payload"])
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert (payload["errorType"], payload["errorMessage"]) == ("KeyError", "'lost'")
    assert "handler.py" in payload["stackTrace"][-1]
    assert "[ERROR] KeyError: 'lost'" in base64.b64decode(answer["LogResult"]).decode()


@pytest.mark.parametrize(
    ("name", "code", "kind"),
    [
        ("no-handler", "x = 1\n", "Runtime.HandlerNotFound"),
        ("no-module", "import nowhere_at_all\n", "Runtime.ImportModuleError"),
        ("no-json", "def handler(e, c):\n    return {1, 2}\n", "Runtime.MarshalError"),
        ("exits", "import os\ndef handler(e, c):\n    os._exit(3)\n", "Runtime.ExitError"),
    ],
)
def test_a_function_that_cannot_answer_is_told_apart(lab, name, code, kind):
    answer = lab.functions.invoke(lab.deploy(name, code), {})
    assert (answer.payload["errorType"], answer.error) == (kind, "Unhandled")


def test_a_function_is_ended_when_its_time_is_up(lab):
    code = "import time\ndef handler(e, c):\n    print('going')\n    time.sleep(60)\n"
    answer = lab.functions.invoke(lab.deploy("slow", code, Timeout=3), {})
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert answer.payload["errorMessage"].endswith("Task timed out after 3.00 seconds")
    assert "going" in answer.logs


def test_reserved_concurrency_throttles_and_frees_its_slot(lab, tmp_path):
    code = (
        "import pathlib, time\n"
        "def handler(event, context):\n"
        "    pathlib.Path(event['in']).touch()\n"
        "    while not pathlib.Path(event['go']).exists(): time.sleep(0.02)\n"
    )
    name = lab.deploy("one", code, Timeout=60)
    client = lab.aws.clients.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    event = {"in": str(tmp_path / "in"), "go": str(tmp_path / "go")}
    first = threading.Thread(target=lab.functions.invoke, args=(name, event))
    first.start()
    until((tmp_path / "in").exists)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName=name)
    (tmp_path / "go").touch()
    first.join()
    assert lab.functions.invoke(name, event).error is None


def test_an_event_invocation_is_accepted_at_once_and_runs_later(lab, tmp_path):
    code = "import pathlib\ndef handler(event, context):\n    pathlib.Path(event['p']).touch()\n"
    name = lab.deploy("later", code, Timeout=30)
    answer = lab.aws.clients.client("lambda").invoke(
        FunctionName=name,
        InvocationType="Event",
        Payload=json.dumps({"p": str(tmp_path / "done")}),
    )
    assert answer["StatusCode"] == 202
    until((tmp_path / "done").exists)


def test_a_new_deployment_runs_the_new_code(lab):
    name = lab.deploy("versions", "def handler(e, c):\n    return 1\n")
    assert lab.functions.invoke(name, {}).payload == 1
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("package/handler.py", "def handler(e, c):\n    return 2\n")
    lab.aws.clients.client("lambda").update_function_code(
        FunctionName=name, ZipFile=zipped.getvalue()
    )
    assert lab.functions.invoke(name, {}).payload == 2


def test_what_cannot_run_here_is_refused_by_name(lab):
    lab.deploy("node", "", Runtime="nodejs22.x")
    with pytest.raises(ServiceError, match=r"node: runtime nodejs22.x does not run here"):
        lab.functions.invoke("node", {})
    with pytest.raises(ServiceError, match="Function not found: nobody"):
        lab.functions.invoke("nobody", {})
