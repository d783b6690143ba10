"""What a function's process finds in its environment: its own variables and Lambda's reserved ones.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.clients import REGION
from local.hosts.imds import credentials


def variables(
    function: Any, stream: str, *, code: Path, temporary: Path, endpoint: str
) -> dict[str, str]:
    """Return the environment of moto's `function`; Lambda's reserved variables win.

    `stream` is the log stream, `code` the unpacked zip, `endpoint` the address of the AWS APIs.
    """
    name = function.function_name
    keys = credentials(f"{name} {function.role}")
    return {
        **{key: str(value) for key, value in (function.environment_vars or {}).items()},
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "TMPDIR": str(temporary),
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(code),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group(function),
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["Token"],
        "AWS_ENDPOINT_URL": endpoint,
    }


def log_group(function: Any) -> str:
    """Return the configured log group, else Lambda's default."""
    configured = getattr(function, "kept", {}).get("LoggingConfig", {}).get("LogGroup")
    return str(configured or function.logs_group_name)
