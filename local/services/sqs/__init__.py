"""Simple Queue Service, standard queues: fast at any depth, times from an injected clock."""
