"""What an environment costs a month, estimated from its templates alone.

`estimate(templates, usage, prices)` is pure: templates by stack name, how much they are used
(`config/usage`), and unit prices (`config/prices`).
"""

from ops.cost.estimate import estimate
from ops.cost.model import Estimate, Item
from ops.cost.prices import Prices, load_prices
from ops.cost.usage import Usage, load_usage

__all__ = ["Estimate", "Item", "Prices", "Usage", "estimate", "load_prices", "load_usage"]
