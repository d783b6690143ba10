"""Lambda functions: a handler each, beside the pure modules that decide."""
