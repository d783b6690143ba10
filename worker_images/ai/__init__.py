"""The AI fleet's image: recognition, subtitles and spreadsheets, one handler a job type."""
