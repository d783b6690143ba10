"""Django's PostgreSQL with a password that may change while the process runs."""
