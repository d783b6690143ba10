"""Every policy by the name that the command line knows: ours, its backstop, and others'."""

from __future__ import annotations

from collections.abc import Mapping

from ops.simulate.dead_controller import Backstop
from ops.simulate.ours import Exact
from ops.simulate.peers import PEERS
from ops.simulate.policy import Maker

POLICIES: Mapping[str, Maker] = {Exact.name: Exact, Backstop.name: Backstop, **PEERS}
