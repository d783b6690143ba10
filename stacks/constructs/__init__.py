"""Constructs own resources and know no environment's settings."""
