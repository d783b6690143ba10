"""What every verification is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from config.settings import Settings
from ops.releases.assemblies import Assembly
from ops.verify.deployed import Deployed


@dataclass(frozen=True)
class Context:
    """An environment, the assembly that was deployed to it, and since when (UTC) it counts."""

    settings: Settings
    assembly: Assembly
    since: datetime

    @property
    def region(self) -> str:
        return self.settings.aws.region

    @cached_property
    def deployed(self) -> Deployed:
        """The assembly's resources as CloudFormation made them."""
        return Deployed(self.assembly, self.settings)
