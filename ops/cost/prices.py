"""The price table: every price with its unit, its source and its date."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ops import places
from ops.errors import OperatorError

PRICES = places.ROOT / "config" / "prices"
REGION = "ap-northeast-2"


class Model(BaseModel):
    """Frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Model):
    """Where prices are from: the address, the date that they held, and what was seen of them."""

    url: Annotated[str, Field(pattern=r"^https://\S+$")]
    as_of: date
    seen: Annotated[str, Field(min_length=1)]


class Price(Model):
    """Dollars for a unit; the first `free` units of a month cost nothing, for ever."""

    usd: Annotated[float, Field(gt=0)]
    unit: Annotated[str, Field(min_length=1)]
    source: str
    free: Annotated[float, Field(gt=0)] | None = None
    #: How the figure was made, where it was not seen itself.
    derived: str | None = None


class Prices(Model):
    """The prices of a region."""

    as_of: date
    region: str
    currency: Literal["USD"]
    hours_per_month: Annotated[float, Field(gt=0)]
    spot_discount: Annotated[float, Field(ge=0, lt=1)]
    sources: dict[str, Source]
    prices: dict[str, Price]

    @model_validator(mode="after")
    def _every_source_is_named(self) -> Self:
        for key, price in self.prices.items():
            if price.source not in self.sources:
                raise ValueError(f"prices.{key}.source: {price.source!r} is no key of sources")
        return self

    @property
    def days_per_month(self) -> float:
        """Days of the mean month."""
        return self.hours_per_month / 24

    def of(self, key: str) -> Price:
        """Return a price. Raises: OperatorError naming the key that the table lacks."""
        if key not in self.prices:
            raise OperatorError(
                f"no price for '{key}' in {self.region}",
                hint="add it to config/prices, with its source, or configure a type that is listed",
            )
        return self.prices[key]


def load_prices(path: Path = PRICES / f"{REGION}.yaml") -> Prices:
    """Return the price table. Raises: pydantic.ValidationError naming the entry that is wrong."""
    return Prices.model_validate(yaml.safe_load(path.read_text("utf-8")))
