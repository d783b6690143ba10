"""ElastiCache of our own: replication groups whose one node is a real Redis on loopback.

moto's knows no parameter groups, makes no member clusters, drops most of what a group is
modified to and never lets a deleted one go.
"""

from local.services.elasticache.service import ElastiCache

__all__ = ["ElastiCache"]
