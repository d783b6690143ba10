"""The video worker: a lecture in, an HLS ladder and a thumbnail out."""
