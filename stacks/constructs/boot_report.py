"""What an instance tells of its boot: its log without secrets, and its boot record.

This file is written into the boot script and runs on the instance, by Amazon Linux's own Python
(3.9, no package; https://docs.aws.amazon.com/linux/al2023/ug/python.html):

    report.py hide FILE KEYS < LOG
    report.py record FILE KEYS NAMESPACE DIMENSIONS OUTCOME INSTANCE STEP STEPS LAUNCHED < LOG

FILE is the environment file, in which the variables KEYS (with commas) hold secrets; it may be
missing. DIMENSIONS is JSON, OUTCOME `ended` or `failed`, STEPS `name=seconds name=seconds ...` and
LAUNCHED an ISO time, or empty when it is not known. The answer has no line's end.
"""

from __future__ import annotations

import json
import re
import sys
import time
from datetime import datetime
from pathlib import Path

HIDDEN = "(hidden)"
#: A shorter value may be part of any word.
SECRET_LENGTH = 6
REASON_LENGTH = 300
#: Stamps, bash's word on a command that was killed, the frame of a JSON answer, Docker's hints.
NOISE = re.compile(
    r"^\S+Z step=|line \d+: +\d+ (Killed|Terminated)|^[\s{}\[\]\",]*$|^(See|Run) 'docker "
)


def hide(text: str, file: Path, keys: list[str]) -> str:
    """Return a text without the values that an environment file has for `keys`."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    values = [value for key, _, value in (line.partition("=") for line in lines) if key in keys]
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= SECRET_LENGTH:
            text = text.replace(value, HIDDEN)
    return text


def reason_of(log: str) -> str:
    """Return the last line of a log that means something, in one line and cut."""
    lines = [line for line in log.splitlines() if not NOISE.search(line)]
    last = "".join(each if each.isprintable() else " " for each in lines[-1]) if lines else ""
    return " ".join(last.split())[:REASON_LENGTH]


def seconds_by_step(text: str, total_s: float | None) -> dict[str, float]:
    """Return how long each step took; `launch` is what the machine needed before the first."""
    steps = {name: float(s) for name, _, s in (each.partition("=") for each in text.split())}
    if total_s is None:
        return steps
    return {"launch": round(max(0.0, total_s - sum(steps.values())), 3), **steps}


def record(facts: list[str], log: str, now: float) -> str:
    """Return the record as one line (`decode_boot` reads it), an embedded metric.

    A failed boot gives no BootSeconds to the metric: its time says nothing of boots that work.
    """
    namespace, dimensions, outcome, instance, step, steps, launched = facts
    failed = outcome == "failed"
    total_s = None
    if launched:
        total_s = now - datetime.fromisoformat(launched.replace("Z", "+00:00")).timestamp()
    by_step = seconds_by_step(steps, total_s)
    named = {str(key): value for key, value in json.loads(dimensions).items()}
    metrics = [{"Name": "BootsFailed", "Unit": "Count"}]
    if not failed:
        metrics.append({"Name": "BootSeconds", "Unit": "Seconds"})
    directive = {"Namespace": namespace, "Dimensions": [[*named]], "Metrics": metrics}
    line = {
        "_aws": {"Timestamp": round(now * 1000), "CloudWatchMetrics": [directive]},
        **named,
        "event": "boot",
        "outcome": outcome,
        "instance": instance,
        "BootSeconds": round(sum(by_step.values()), 3),
        "BootsFailed": int(failed),
        "step": step if failed else "",
        "reason": reason_of(log) if failed else "",
        "steps": by_step,
    }
    return json.dumps(line)


def main(arguments: list[str]) -> None:
    """Answer one command. The log may be cut within a letter, and the locale be any."""
    command, file, keys, *facts = arguments
    read = sys.stdin.buffer.read().decode("utf-8", "replace")
    log = hide(read, Path(file), keys.split(","))
    answer = record(facts, log, time.time()) if command == "record" else log
    sys.stdout.buffer.write(answer.encode())


if __name__ == "__main__":
    main(sys.argv[1:])
