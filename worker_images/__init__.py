"""What ships in images: the shared runtime, and one package an image."""
