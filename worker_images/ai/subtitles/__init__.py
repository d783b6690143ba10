"""Speech to WebVTT: a lecture's audio, heard in chunks."""
