"""The operator's CLI: gather facts from AWS, let pure functions decide, then print.

It talks to whatever AWS_ENDPOINT_URL names, so the same commands serve the embedded AWS and a real
account.
"""
