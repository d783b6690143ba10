"""A strict reader of HLS renditions: `check(folder)` lists what a player could stumble over.

It shares no code with the worker, and test_checker.py shows for each rule that it can fail.
"""
