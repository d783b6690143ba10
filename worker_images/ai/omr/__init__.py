"""Answer sheets: the printed layout, finding it in a photo, reading and grading the marks."""
