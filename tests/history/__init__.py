"""How many mistakes that people repaired in public repositories we would have shown them: see `__main__`."""
