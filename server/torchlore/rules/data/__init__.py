"""Datasets, loaders, samplers and workers."""
