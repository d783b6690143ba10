"""Stands in for the reader and tells what environment it was given."""

import json
import os
import sys

sys.stdout.write(json.dumps({"code": "ENVIRONMENT", "message": str(dict(os.environ))}))
