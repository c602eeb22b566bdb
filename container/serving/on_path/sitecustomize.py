"""Python imports this by itself at every start of a server process, since this folder is on their path.

multi-model-server's parent hands each worker an accepted socket through `multiprocessing`, which works only if the worker is forked. Python
3.14 starts processes in another way unless told.
"""

import multiprocessing
import sys

if sys.platform == "linux":
    multiprocessing.set_start_method("fork")
