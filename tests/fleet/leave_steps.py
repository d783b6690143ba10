"""The steps of tests.fleet.leave_model's world."""

from __future__ import annotations

from tests.fleet.leave_model import (
    ABSENT,
    ASKED,
    BROUGHT,
    CALLS,
    IN_SERVICE,
    NONE,
    PENDING,
    TERMINATING,
    Call,
    Scenario,
    Step,
    Steps,
    Worker,
    World,
    ended,
    replaced,
)
from worker_images.base.leaving import Answer, Event, Phase

#: EC2's notices, the operators' acts and the group's own, by the name that a scenario enables.
EVENTS = frozenset(
    (
        "send",
        "lost call",
        "refused call",
        "lost receive",
        "deploy",
        "lower max",
        "scale in",
        "refresh",
        "rebalance",
        "interruption",
        "taken by hand",
        "told to stop",
    )
)


def steps(scenario: Scenario, world: World) -> Steps:
    """Yield every step out of a state."""
    for step in _all(scenario, world):
        if step.fair or step.label in scenario.events:
            yield step


def _all(scenario: Scenario, world: World) -> Steps:
    yield from _around(scenario, world)
    for at, worker in enumerate(world.workers):
        if worker.instance == ABSENT:
            if world.active < world.desired:
                new = Worker(scenario.rules.start, PENDING, version=world.version)
                yield Step("the group launches", replaced(world, at, new), fair=True)
            continue
        yield from _group(world, at, worker)
        yield from _ec2(world, at, worker)
        yield from _calls(scenario, world, at, worker)
        yield from _polls(scenario, world, at, worker)
        yield from _events(scenario, world, at, worker)
        yield from _work(world, at, worker)


def _around(scenario: Scenario, world: World) -> Steps:
    """What happens to the queue and to the group as a whole."""
    if world.unsent:
        yield Step("send", world._replace(unsent=world.unsent - 1, visible=world.visible + 1))
    if world.orphaned:
        back = world._replace(orphaned=world.orphaned - 1, visible=world.visible + 1)
        yield Step("a message becomes visible again", back, fair=True)
    if world.visible and world.desired < world.maximum:
        more = world._replace(desired=world.desired + 1)
        yield Step("the controller asks for one more", more, fair=True)
    if not world.version:
        yield Step("deploy", world._replace(version=1))
    if world.maximum > max(1, scenario.minimum):
        lower = world.maximum - 1
        yield Step("lower max", world._replace(maximum=lower, desired=min(world.desired, lower)))


def _group(world: World, at: int, worker: Worker) -> Steps:
    """What the group, its controller and its operators do to an instance."""
    going = replaced(world, at, worker._replace(instance=TERMINATING))
    if worker.instance == PENDING:
        serves = worker._replace(instance=IN_SERVICE)
        yield Step("an instance is in service", replaced(world, at, serves), fair=True)
    if worker.instance == IN_SERVICE:
        if not worker.protected and world.active > world.desired:
            yield Step("scale in", going, broken=ended(worker))
        if not worker.protected and worker.version < world.version:
            yield Step("refresh", going, broken=ended(worker))
        yield Step("taken by hand", going)
        if worker.leave.phase is Phase.ENDED and worker.leave.cause is Event.TOLD:
            yield Step("the controller ends a zombie", going, fair=True, broken=ended(worker))
    over = worker.leave.phase is Phase.ENDED and worker.call is None
    if worker.instance == TERMINATING and over:
        gone = replaced(world, at, Worker())
        yield Step("the hook is completed", gone, fair=True, broken=ended(worker))


def _ec2(world: World, at: int, worker: Worker) -> Steps:
    """A Spot instance is announced to go, and goes whatever it does."""
    if worker.notice == NONE:
        yield Step("interruption", replaced(world, at, worker._replace(notice=ASKED)))
        return
    lost = world.orphaned + worker.hand + (worker.receive == BROUGHT)
    yield Step("EC2 takes it", replaced(world, at, Worker(), orphaned=lost), fair=True)


def _calls(scenario: Scenario, world: World, at: int, worker: Worker) -> Steps:
    """A call begins, has its effect or not, and is answered or not."""
    call, leave = worker.call, worker.leave
    if call is None:
        if leave.phase in CALLS:
            asking = worker._replace(call=Call(leave))
            yield Step(f"call: {leave.phase}", replaced(world, at, asking), fair=True)
        return
    if call.answer is None:
        yield _effect(scenario, world, at, worker)
        refused = worker._replace(call=call._replace(answer=Answer.REFUSED))
        yield Step("refused call", replaced(world, at, refused))
    else:
        yield Step("answer", _answered(scenario, world, at, worker, call.answer), fair=True)
    yield Step("lost call", _answered(scenario, world, at, worker, Answer.UNKNOWN))


def _answered(scenario: Scenario, world: World, at: int, worker: Worker, answer: Answer) -> World:
    assert worker.call is not None
    leave = scenario.rules.answered(worker.leave, worker.call.leave.phase, answer)
    return replaced(world, at, worker._replace(leave=leave, call=None))


def _effect(scenario: Scenario, world: World, at: int, worker: Worker) -> Step:
    """What Auto Scaling does on a call. Terminating needs no service, protecting does."""
    assert worker.call is not None
    wanted, desired, fault = worker.call.leave, world.desired, ""
    answer = Answer.DONE
    if worker.instance == TERMINATING:
        answer = Answer.LEFT
    elif wanted.phase is not Phase.TERMINATING:
        if worker.instance == IN_SERVICE:
            worker = worker._replace(protected=wanted.phase is Phase.PROTECTING)
        else:
            answer = Answer.REFUSED
    elif wanted.decrement and desired - 1 < scenario.minimum:
        answer = Answer.SPARE if world.active > desired else Answer.REFUSED
    else:
        desired -= wanted.decrement
        fault = "a busy worker ended itself" if worker.busy else ""
        if wanted.decrement and wanted.cause is Event.OUTDATED:
            fault = "a deploy took a place away"
        worker = worker._replace(instance=TERMINATING)
    worker = worker._replace(call=Call(wanted, answer))
    after = replaced(world, at, worker, desired=desired)
    return Step(f"effect: {wanted.phase} {answer}", after, fair=True, broken=fault)


def _polls(scenario: Scenario, world: World, at: int, worker: Worker) -> Steps:
    """A receive begins while there is room; what it brings too late is handed back."""
    phase = worker.leave.phase
    if worker.receive == NONE:
        if phase in scenario.rules.polls_in and worker.hand < scenario.slots:
            asking = replaced(world, at, worker._replace(receive=ASKED))
            yield Step("a receive begins", asking, fair=True)
        return
    empty = worker._replace(receive=NONE)
    if worker.receive == ASKED:
        yield Step("a receive brings nothing", replaced(world, at, empty), fair=True)
        if world.visible:
            brings = worker._replace(receive=BROUGHT)
            taken = replaced(world, at, brings, visible=world.visible - 1)
            yield Step("a receive takes a message", taken, fair=True)
        return
    lost = replaced(world, at, empty, orphaned=world.orphaned + 1)
    yield Step("lost receive", lost)
    if phase is Phase.POLLING:
        arrived = replaced(world, at, empty._replace(hand=worker.hand + 1))
    else:
        arrived = replaced(world, at, empty, visible=world.visible + 1)
    yield Step("a message arrives", arrived, fair=True)


def _events(scenario: Scenario, world: World, at: int, worker: Worker) -> Steps:
    """What the worker is told, or finds out."""
    phase = worker.leave.phase
    happening: list[tuple[Event, str]] = []
    if phase is Phase.POLLING and not worker.hand:
        happening.append((Event.IDLE, ""))
    if phase is Phase.POLLING and worker.version < world.version:
        happening.append((Event.OUTDATED, ""))
    if phase in (Phase.FINISHING, Phase.HANDING_BACK) and scenario.rules.empty(worker):
        happening.append((Event.EMPTY, ""))
    if worker.instance == TERMINATING:
        happening.append((Event.TAKEN, ""))
    if worker.notice == ASKED:
        happening.append((Event.INTERRUPTION, ""))
    happening += [(Event.REBALANCE, "rebalance"), (Event.TOLD, "told to stop")]
    for event, label in happening:
        leave = scenario.rules.told(worker.leave, event)
        notice = BROUGHT if event is Event.INTERRUPTION else worker.notice
        after = worker._replace(leave=leave, notice=notice)
        if after != worker:
            yield Step(label or f"told: {event}", replaced(world, at, after), fair=not label)


def _work(world: World, at: int, worker: Worker) -> Steps:
    """A job ends well, or is handed back where the worker is told to."""
    if not worker.hand:
        return
    less = worker._replace(hand=worker.hand - 1)
    yield Step("a job is done", replaced(world, at, less), fair=True)
    if worker.leave.phase is Phase.HANDING_BACK:
        back = replaced(world, at, less, visible=world.visible + 1)
        yield Step("a job is handed back", back, fair=True)
