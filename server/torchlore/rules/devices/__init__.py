"""Rules of the devices family."""
