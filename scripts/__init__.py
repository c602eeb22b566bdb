"""What a person runs: each module here is a command, started by the file of the same name without `.py`."""
