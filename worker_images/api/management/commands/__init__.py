"""One module a command; Django finds it by its name."""
