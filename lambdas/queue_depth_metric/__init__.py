"""Measures each fleet's backlog, publishes it, and raises the fleet to the size it asks for."""
