"""The API's own description: OpenAPI 3.1, made of the views and of what stands here."""
