"""Asks the public address for /health, publishes what came of it, and says which hop failed."""
