"""Text in pictures and PDF pages, Korean and English."""
