"""Rules of the modules family."""
