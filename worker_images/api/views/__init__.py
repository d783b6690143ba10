"""Requests in, answers out; the decisions are in the modules above."""
