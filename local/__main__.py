"""`python -m local`: the command line of the embedded AWS."""

from local.cli import app

app(prog_name="python -m local")
