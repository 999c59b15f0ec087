"""Whether fixes keep what they promise, on any code: `python -m tests.fixes PATH…`."""
