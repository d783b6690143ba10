"""The reader with little memory, so that a file need not be large to take all of it."""

import sys

from worker_images.ai.excel import reader

reader.MEMORY_BYTES = 160 * 1024 * 1024
sys.exit(reader.main())
