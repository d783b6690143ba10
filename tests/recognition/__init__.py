"""The generated and labelled set of tests/unit/ai and benchmarks/recognition.py."""
