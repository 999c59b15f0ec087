"""Rules of the rules family."""
