"""Rules of the autograd family."""
