"""The fault run: mixed jobs on real workers while everything around them fails."""
