"""Deploys and rollbacks from end to end: check, act, verify, record."""
