"""The rules by which others size a fleet of queue workers, as they are publicly documented.

What a replica, a task or an agent's machine is to its project is an instance here, with the same
boot, so that only the rules differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ops.simulate.peers.buildkite import Buildkite
from ops.simulate.peers.ecs_patterns import EcsPatterns
from ops.simulate.peers.keda import Keda, KedaJobs
from ops.simulate.peers.step_scaling import LargeSteps
from ops.simulate.peers.target_tracking import TargetTracking
from ops.simulate.policy import Maker, Policy

#: Of a name and a worker's slots.
_Rule = Callable[[str, int], Policy]


def _tracking(*, protected: bool, in_flight: bool = False) -> _Rule:
    return lambda name, _: TargetTracking(name, protected=protected, in_flight=in_flight)


_RULES: Mapping[str, _Rule] = {
    "target-tracking": _tracking(protected=False),
    "target-tracking-protected": _tracking(protected=True),
    "target-tracking-in-flight": _tracking(protected=True, in_flight=True),
    "large-steps": lambda name, _: LargeSteps(name, protected=False),
    "large-steps-protected": lambda name, _: LargeSteps(name, protected=True),
    "ecs-patterns": lambda name, slots: EcsPatterns(name, slots=slots),
    "keda": lambda name, _: Keda(name),
    "keda-one-each": lambda name, slots: Keda(name, queue_length=slots),
    "keda-jobs": lambda name, slots: KedaJobs(name, queue_length=slots),
    "buildkite": lambda name, slots: Buildkite(name, agents_per_instance=slots),
}


def _maker(name: str, rule: _Rule) -> Maker:
    return lambda fleet: rule(name, fleet.rules.slots)


#: By name, each made for one run over a fleet.
PEERS: Mapping[str, Maker] = {name: _maker(name, rule) for name, rule in _RULES.items()}
