"""Changes the database's password, step by step, for Secrets Manager."""
