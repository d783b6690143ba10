"""The runtime that every worker image shares: consumer, runner, status, storage, settings.

Imports at the package level are none: the API uses `status` without the worker's loop.
"""
