"""Synthesize, bootstrap, compare and deploy: thin over the CDK CLI, with tidy output."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from config.settings import Settings
from ops import aws, cdk, failures, inputs, places
from ops.deploy_events import StackProgress, advance, stack_of, trouble
from ops.errors import OperatorError
from ops.releases.assemblies import Assembly
from ops.view import live

BOOTSTRAP_STACK = "CDKToolkit"
_STYLES = {"done": "green", "unchanged": "dim", "failed": "red", "deploying": "yellow"}
_SAID_CHARACTERS = 4000


def synthesize(
    environment: str, image_tag: str, assembly: Path, *, users_per_day: int | None = None
) -> bool:
    """Write an environment's assembly; return False when it stood for the same inputs already.

    `users_per_day` asks for another size than the environment's own.

    Raises: OperatorError with what the app said.
    """
    expected = inputs.fingerprint(places.ROOT, environment, image_tag, users_per_day)
    if inputs.is_current(assembly, expected):
        return False
    assembly.parent.mkdir(parents=True, exist_ok=True)
    inputs.stamp_of(assembly).unlink(missing_ok=True)
    lines: list[str] = []
    arguments = cdk.synth_arguments(environment, image_tag, assembly, users_per_day)
    if cdk.run(arguments, lines.append):
        raise OperatorError(_said(lines) or "cdk synth failed without a word")
    inputs.stamp_of(assembly).write_text(expected, "utf-8")
    return True


def bootstrap(account: str, region: str, assembly: Path) -> bool:
    """Bootstrap an account's region unless it is; return whether that was needed."""
    try:
        aws.client("cloudformation", region).describe_stacks(StackName=BOOTSTRAP_STACK)
        return False
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
    lines: list[str] = []
    if cdk.run(cdk.bootstrap_arguments(account, region, assembly), lines.append):
        raise OperatorError(f"cdk bootstrap failed:\n{_said(lines)}")
    return True


def deploy(
    settings: Settings, assembly: Path, console: Console, *, stack: str | None = None
) -> list[StackProgress]:
    """Deploy every stack of an assembly, or one alone, and return how each ended.

    Raises: OperatorError with the resources that failed and why.
    """
    began = datetime.now(UTC)
    board: dict[str, StackProgress] = {}
    lines: list[str] = []
    with live(console, lambda: _table(board)) as show:

        def on_line(line: str) -> None:
            lines.append(line)
            name = stack_of(line)
            step = advance(board.get(name), line) if name else None
            if step:
                board[step.name] = step
                show(f"{step.name}: {step.state}" if step.state != "deploying" else "")

        code = cdk.run(cdk.deploy_arguments(assembly, stack=stack), on_line)
    if code:
        found = failures.since(settings, Assembly(assembly).stacks, began)
        text = "\n".join(f"{f.stack}: {f.type_name} {f.resource}: {f.reason}" for f in found)
        raise OperatorError(f"deploy failed:\n{text or _said(trouble(lines))}")
    return list(board.values())


def diff(assembly: Path, console: Console) -> bool:
    """Print what a deploy would change; return whether there is anything."""
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    code = cdk.run(cdk.diff_arguments(assembly), on_line)
    # The CLI exits 1 for a difference as well as for an error; its summary tells them apart.
    if code and not any("Number of stacks with differences" in line for line in lines):
        raise OperatorError("cdk diff failed, see above")
    return code == cdk.DIFFERENCE


def _said(lines: list[str]) -> str:
    """Return the end of what the CLI said, without blank lines and its own echo of an exit code."""
    said = [line for line in lines if line.strip() and "Subprocess exited with error" not in line]
    return "\n".join(said)[-_SAID_CHARACTERS:]


def _table(board: dict[str, StackProgress]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for stack in board.values():
        style = _STYLES[stack.state]
        count = f"{stack.done}/{stack.total}" if stack.total else ""
        table.add_row(f"[{style}]{stack.state}[/]", stack.name, count, f"[dim]{stack.current}[/]")
    return table
