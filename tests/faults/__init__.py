"""The fault run in small, and its judgement of runs that went wrong."""
