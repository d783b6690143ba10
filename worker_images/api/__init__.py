"""The Django API: uploads, progress, playback, and the internal calls of Lambda and operators."""
