"""Rules of the losses family."""
