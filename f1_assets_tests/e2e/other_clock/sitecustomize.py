"""Read by Python when it starts, where this folder is on its path: this process's clock is F1_TEST_CLOCK_SECONDS ahead.

Waiting, and what is measured between two moments, are those of the machine.
"""

import os
import time

import time_machine

time_machine.travel(time.time() + float(os.environ["F1_TEST_CLOCK_SECONDS"]), tick=True).start()
