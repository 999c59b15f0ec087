"""Calls that raise what cards quote: one module for each area, found by scanning."""
