"""A template's properties with its references followed, by means of describe calls alone."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_NOTHING = object()
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
_SECRET = re.compile(
    r"\{\{resolve:secretsmanager:(?P<arn>arn:[^}]+?):SecretString:(?P<key>[^:}]+)::\}\}"
)


@dataclass(frozen=True)
class Scope:
    """What a stack's references lead to.

    `names` holds the values of Ref (physical ids, parameters, pseudo parameters); `attribute`
    returns a Fn::GetAtt; `exports` the values of Fn::ImportValue; `output` a Fn::GetStackOutput;
    `secret` the value of a secret.
    """

    names: Mapping[str, Any]
    attribute: Callable[[str, str], Any]
    exports: Mapping[str, Any]
    output: Callable[[str, str], Any]
    secret: Callable[[str], str]

    def resolve(self, value: Any) -> Any:
        """Return a value without intrinsic functions.

        Raises: AssertionError naming a function that this resolver does not have.
        """
        if isinstance(value, list):
            items = [self.resolve(item) for item in value]
            return [item for item in items if item is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), *_ = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._function(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NOTHING}

    def _function(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return _NOTHING if argument == "AWS::NoValue" else self.names[argument]
        if name == "Fn::GetAtt":
            logical_id, attribute = argument
            return self.attribute(logical_id, attribute)
        if name not in _FUNCTIONS:
            raise AssertionError(f"the test's resolver has no {name}")
        value = _FUNCTIONS[name](self, self.resolve(argument))
        return _SECRET.sub(self._field, value) if isinstance(value, str) else value

    def _field(self, reference: re.Match[str]) -> str:
        value: str = json.loads(self.secret(reference["arn"]))[reference["key"]]
        return value


_FUNCTIONS: Mapping[str, Callable[[Scope, Any], Any]] = {
    "Fn::Base64": lambda scope, text: base64.b64encode(text.encode()).decode(),
    "Fn::GetStackOutput": lambda scope, of: scope.output(of["StackName"], of["OutputName"]),
    "Fn::ImportValue": lambda scope, name: scope.exports[name],
    "Fn::Join": lambda scope, parts: parts[0].join(str(item) for item in parts[1]),
    "Fn::Select": lambda scope, choice: choice[1][int(choice[0])],
    "Fn::Split": lambda scope, parts: parts[1].split(parts[0]),
}
