"""Recorded releases: what was deployed, by whom, from which commit, and how to bring it back."""
