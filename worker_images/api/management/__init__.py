"""Commands of `python -m worker_images.api.manage`."""
