"""Takes forever to import."""

import time

time.sleep(1000)
