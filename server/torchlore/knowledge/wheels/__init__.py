"""Reads what torch was in each version out of its wheels, by their text alone: nothing is installed or run.

A tool for those who build the symbol index (`python -m torchlore.knowledge.wheels`); the server never loads
it.
"""
