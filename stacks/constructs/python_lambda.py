"""A Python function packed from a package of `lambdas/` and the contracts, nothing else."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks.constructs.log_group import log_group

ROOT = Path(__file__).parent.parent.parent


class PythonLambda(Construct):
    """Function on arm64 and Python 3.14 with a log group that is kept a limited time.

    The zip holds `lambdas/<package>/**` and `config/contracts/**` under the same paths as the
    repo, so imports are the same there. Its hash is that of what is packed: an edit of the shared
    contracts deploys too. The handler is `lambdas.<package>.handler.handler`. Its role may write to
    that log group and nothing else; more is granted to `function`.
    """

    def __init__(
        self,
        scope: Construct,
        identifier: str,
        *,
        package: str,
        description: str,
        environment: Mapping[str, str],
        timeout_s: int,
        memory_mb: int,
        log_retention_days: int,
        function_name: str | None = None,
        reserved_concurrency: int | None = None,
    ) -> None:
        super().__init__(scope, identifier)
        self.log_group = log_group(
            self,
            "Logs",
            retention_days=log_retention_days,
            # The runbook looks for the documented function under Lambda's customary name.
            name=f"/aws/lambda/{function_name}" if function_name else None,
        )
        # CDK's own role could write to every log group of the account.
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group.grant_write(role)
        with tempfile.TemporaryDirectory() as staged:
            digest = stage(package, Path(staged))
            self.function = lambda_.Function(
                self,
                "Function",
                function_name=function_name,
                description=description,
                runtime=lambda_.Runtime.PYTHON_3_14,
                architecture=lambda_.Architecture.ARM_64,
                handler=f"lambdas.{package}.handler.handler",
                code=lambda_.Code.from_asset(staged, asset_hash=digest),
                environment=dict(environment),
                timeout=cdk.Duration.seconds(timeout_s),
                memory_size=memory_mb,
                reserved_concurrent_executions=reserved_concurrency,
                log_group=self.log_group,
                role=role,
            )


def stage(package: str, target: Path, *, root: Path = ROOT) -> str:
    """Copy a function's files below `target` and return the SHA-256 of what was copied.

    Bytecode stays out, and permissions are set, so the result does not depend on the machine.
    Raises: FileNotFoundError when the package or its handler does not exist.
    """
    handler = root / "lambdas" / package / "handler.py"
    if not handler.is_file():
        raise FileNotFoundError(f"no handler for function '{package}': {handler} is missing")
    digest = hashlib.sha256()
    for source in _sources(root, package):
        relative = source.relative_to(root)
        copied = target / relative
        copied.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        shutil.copyfile(source, copied)
        copied.chmod(0o644)
        digest.update(f"{relative.as_posix()}\0{copied.stat().st_size}\0".encode())
        digest.update(copied.read_bytes())
    return digest.hexdigest()


def _sources(root: Path, package: str) -> Iterator[Path]:
    """Yield the files of a function, sorted: its package, the contracts, the packages above."""
    found = [root / name / "__init__.py" for name in ("lambdas", "config")]
    for folder in (root / "lambdas" / package, root / "config" / "contracts"):
        found += [path for path in folder.rglob("*") if "__pycache__" not in path.parts]
    yield from sorted(path for path in found if path.is_file())
