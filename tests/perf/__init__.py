"""Benchmarks. `make bench` prints them; no test asserts a time."""
