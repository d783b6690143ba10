"""CloudFormation: what the unmodified cdk CLI needs, with real updates, replacements and rollback.

What it cannot honour it refuses by name, before or instead of doing anything: an unknown resource
type, a property no handler reads, an intrinsic function that does not resolve.
"""
