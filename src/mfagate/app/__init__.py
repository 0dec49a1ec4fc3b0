"""One run from the configuration to the exit code, shared by the command line, pytest and Python callers."""
