"""Policy documents taken apart: one grant is one action on one resource for one principal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ops.changes.text import plain

#: A condition as its parts, each `operator key value`.
Condition = frozenset[str]
_NOBODY = ""


@dataclass(frozen=True)
class Grant:
    """One action, one resource, one principal.

    `principal` and `resource` are empty where the policy belongs to the one or the other. IAM's
    NotAction, NotResource and NotPrincipal stand as `not <all that they name>`.
    """

    allows: bool
    principal: str
    action: str
    resource: str
    condition: Condition = frozenset()

    def covers(self, other: Grant) -> bool:
        """Tell whether whatever `other` grants is granted by this one."""
        return self.same_target(other) and self.condition <= other.condition

    def same_target(self, other: Grant) -> bool:
        """Tell whether this one reaches what the other does, conditions apart."""
        return (
            self.allows == other.allows
            and _matches(self.principal, other.principal)
            and _matches(self.action.lower(), other.action.lower())
            and _matches(self.resource, other.resource)
        )


def _matches(pattern: str, text: str) -> bool:
    return pattern == text or (not pattern.startswith("not ") and fnmatchcase(text, _glob(pattern)))


def _glob(pattern: str) -> str:
    """Return an IAM pattern as one of fnmatch, to which `[` is special too."""
    return pattern.replace("[", "[[]")


def statements(value: dict[str, Any]) -> list[Any]:
    """Return the statements of a policy document; none of anything else, like a rule of WAF."""
    given = value.get("Statement", [])
    listed = given if isinstance(given, list) else [given]
    return [each for each in listed if isinstance(each, dict) and "Effect" in each]


def grants(document: dict[str, Any]) -> Iterator[Grant]:
    """Yield the grants of a policy document."""
    for each in statements(document):
        condition = frozenset(_parts(each.get("Condition", {})))
        for principal in _principals(each):
            for action in _named(each, "Action"):
                for resource in _named(each, "Resource"):
                    yield Grant(each["Effect"] == "Allow", principal, action, resource, condition)


def _named(statement: Any, key: str) -> list[str]:
    """Return what a statement names under a key, or under its `Not`; [""] for neither."""
    if f"Not{key}" in statement:
        return [f"not {', '.join(sorted(_texts(statement[f'Not{key}'])))}"]
    return _texts(statement.get(key, _NOBODY))


def _principals(statement: Any) -> list[str]:
    given = statement.get("Principal", statement.get("NotPrincipal", _NOBODY))
    by_kind = given if isinstance(given, dict) and not _is_function(given) else {"": given}
    named = [
        "*" if text == "*" else f"{kind}:{text}".lstrip(":")
        for kind, value in by_kind.items()
        for text in _texts(value)
    ]
    return [f"not {', '.join(sorted(named))}"] if "NotPrincipal" in statement else named


def _is_function(value: dict[str, Any]) -> bool:
    return any(name == "Ref" or name.startswith("Fn::") for name in value)


def _texts(value: Any) -> list[str]:
    return [plain(item) for item in (value if isinstance(value, list) else [value])]


def _parts(condition: Any) -> Iterator[str]:
    for operator, tests in condition.items():
        for key, value in tests.items():
            yield f"{operator} {key} {', '.join(sorted(_texts(value)))}"
