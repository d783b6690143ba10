"""The least that any fleet can cost that starts every job when it arrives.

Claim: `least_s` is a lower bound on the seconds of instances, each charged `boot_s` for its boot
and then until its end, of every fleet of `slots` jobs an instance in which no job ever waits.

Proof. Let D(t) jobs run at t: as none waits, D is given by the load alone. At t at least
M(t) = ceil(D(t) / slots) instances serve; say N(t) >= M(t) do. A fleet pays the integral of N plus
boot_s for each instance that comes into service, so boot_s for each step up of N. Cut N into
levels: level k is on at t when N(t) >= k. Every instance-second belongs to one level and every step
up of N to the level that it switches on, so that the bill is the sum of the levels' bills: on-time
plus boot_s for each time it is switched on. Level k has to be on wherever M(t) >= k; in a gap of
length g between two such stretches it either stays on, for g, or is switched on again, for boot_s:
at least min(g, boot_s). Before the first stretch it is switched on once: boot_s. The sum of these
over all levels, with the integral of M, is what is returned.

With one slot it is attained: the instance that fell idle last takes the next job, and one that
would wait longer than a boot goes. tests/unit/ops/simulate compares it with brute force.
"""

from __future__ import annotations

from heapq import merge

from ops.simulate.load import Load


def least_s(load: Load, *, slots: int, boot_s: float) -> float:
    """Return the bound in seconds of instances, 0 for no job. Sorting aside, linear in the jobs."""
    starts = ((at, 1) for at in load.arrivals_s)
    ends = sorted(at + took for at, took in zip(load.arrivals_s, load.durations_s, strict=True))
    jobs, levels, before_s, total_s = 0, 0, 0.0, 0.0
    fell_idle_s: list[float] = []
    # At one moment ends come first: an instance that is free then takes the job that arrives then.
    for now, step in merge(((at, -1) for at in ends), starts):
        total_s += levels * (now - before_s)
        before_s = now
        jobs += step
        needed = -(-jobs // slots)
        if needed > levels:
            total_s += min(boot_s, now - fell_idle_s.pop()) if fell_idle_s else boot_s
        elif needed < levels:
            fell_idle_s.append(now)
        levels = needed
    return total_s
