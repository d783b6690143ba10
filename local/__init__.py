"""The embedded AWS: the real templates, deployed by the real CLI, on one machine's loopback."""
