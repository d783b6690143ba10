"""Read a Dockerfile: its stages with their instructions, variables put in, the unknown refused."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: Allowed, and without a meaning for a process: the venv holds what RUN installs.
IGNORED = frozenset({"EXPOSE", "HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL", "VOLUME"})
ALLOWED = frozenset(
    {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "FROM", "USER", "WORKDIR"} | IGNORED
)
_COPY_FLAGS = frozenset({"--chmod", "--chown", "--from", "--link"})
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")


class DockerfileError(ValueError):
    """Something in a Dockerfile that is wrong or not understood; names file, line and what."""


@dataclass(frozen=True)
class Copy:
    """Files copied from the build context, or from the stage `stage`, to `target`.

    A relative target is one below the working directory that the stage inherits.
    """

    line: int
    sources: tuple[str, ...]
    target: str
    stage: str | None


@dataclass
class Stage:
    """One stage: what it starts from, what it copies, and the configuration that it adds.

    What is None is inherited; a relative `workdir` is one below the inherited one.
    """

    base: str
    name: str | None
    workdir: str | None = None
    user: str | None = None
    command: list[str] | None = None
    entrypoint: list[str] | None = None
    env: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    copies: list[Copy] = field(default_factory=list)


@dataclass(frozen=True)
class _Line:
    path: Path
    number: int
    word: str
    rest: str

    def error(self, message: str) -> DockerfileError:
        return DockerfileError(f"{self.path}:{self.number}: {self.word} {message}")


def parse(path: Path) -> list[Stage]:
    """Return the stages of a Dockerfile, the last being the image.

    Raises: DockerfileError for an instruction, a flag or a form that is not understood.
    """
    stages: list[Stage] = []
    arguments: dict[str, str] = {}
    for line in _lines(path):
        if line.word not in ALLOWED:
            raise line.error(f"is not understood; allowed: {', '.join(sorted(ALLOWED))}")
        if line.word == "FROM":
            stages.append(_from(line, arguments))
        elif not stages:
            if line.word != "ARG":
                raise line.error("stands before the first FROM; only ARG may")
            arguments.update(_argument(line, arguments, {}))
        elif line.word not in IGNORED:
            _apply(stages[-1], line, arguments)
    if not stages:
        raise DockerfileError(f"{path}: no FROM")
    return stages


def _lines(path: Path) -> Iterator[_Line]:
    """Yield instructions: comments dropped, continued lines joined."""
    pending, start = "", 0
    for number, raw in enumerate(path.read_text().splitlines(), 1):
        if raw.lstrip().startswith("#") or (not raw.strip()):
            continue
        start = start or number
        pending += raw.strip().removesuffix("\\") + " "
        if not raw.rstrip().endswith("\\"):
            word, _, rest = pending.strip().partition(" ")
            yield _Line(path, start, word.upper(), rest.strip())
            pending, start = "", 0
    if pending:
        raise DockerfileError(f"{path}:{start}: the last line ends with a backslash")


def _from(line: _Line, arguments: Mapping[str, str]) -> Stage:
    words = [word for word in line.rest.split() if not word.startswith("--platform=")]
    match words:
        case [base]:
            return Stage(_substitute(line, base, arguments), None)
        case [base, keyword, name] if keyword.upper() == "AS":
            return Stage(_substitute(line, base, arguments), name.lower())
    raise line.error(f"{line.rest!r} must read '<image> [AS <stage>]'")


def _argument(line: _Line, outer: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    name, equals, value = line.rest.partition("=")
    if not equals:
        return {name: outer[name]} if name in outer else {}
    (text,) = shlex.split(value) or [""]
    return {name: _substitute(line, text, {**outer, **known})}


def _apply(stage: Stage, line: _Line, outer: Mapping[str, str]) -> None:
    known = {**stage.arguments, **stage.env}
    match line.word:
        case "ARG":
            stage.arguments.update(_argument(line, outer, known))
        case "ENV":
            stage.env.update(_environment(line, known))
        case "WORKDIR":
            directory = _substitute(line, line.rest, known)
            stage.workdir = str(Path(stage.workdir or "") / directory)
        case "USER":
            stage.user = _substitute(line, line.rest, known)
        case "CMD":
            stage.command = _json_form(line)
        case "ENTRYPOINT":
            stage.entrypoint, stage.command = _json_form(line), []
        case "COPY":
            stage.copies.append(_copy(stage, line, known))


def _environment(line: _Line, known: Mapping[str, str]) -> dict[str, str]:
    words = shlex.split(line.rest)
    if words and "=" not in words[0]:
        name, _, value = line.rest.partition(" ")
        return {name: _substitute(line, value.strip(), known)}
    pairs = [word.partition("=") for word in words]
    return {name: _substitute(line, value, known) for name, _, value in pairs}


def _json_form(line: _Line) -> list[str]:
    try:
        words = json.loads(line.rest)
    except json.JSONDecodeError:
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise line.error(f'{line.rest!r} must be a JSON list, such as ["python", "-m", "x"]')
    return words


def _copy(stage: Stage, line: _Line, known: Mapping[str, str]) -> Copy:
    rest, flags = line.rest, {}
    while rest.startswith("--"):
        flag, _, rest = rest.partition(" ")
        name, _, value = flag.partition("=")
        if name not in _COPY_FLAGS:
            raise line.error(f"{name} is not understood; allowed: {', '.join(sorted(_COPY_FLAGS))}")
        flags[name] = _substitute(line, value, known)
        rest = rest.strip()
    if "<<" in rest:
        raise line.error("of a here-document is not understood; put it into a file")
    words = _json_form(_Line(line.path, line.number, line.word, rest)) if rest[:1] == "[" else None
    *sources, target = [_substitute(line, word, known) for word in words or shlex.split(rest)]
    if not sources or (len(sources) > 1 and not target.endswith("/")):
        raise line.error("needs sources and a target; several sources need a target ending in '/'")
    directory = "/" if target.endswith(("/", "/.")) or target == "." else ""
    placed = str(Path(stage.workdir or "") / target) + directory
    return Copy(line.number, tuple(sources), placed, flags.get("--from"))


def _substitute(line: _Line, text: str, known: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        if name in known:
            return known[name]
        if match[2] is not None:
            return match[2]
        if line.word == "ENV":  # an image's inherited variables, such as PATH, are not known here
            return match[0]
        raise line.error(f"uses {match[0]}, which no ARG or ENV of this stage sets")

    return _VARIABLE.sub(value, text)
