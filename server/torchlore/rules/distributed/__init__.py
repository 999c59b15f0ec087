"""Training on several devices: DDP, samplers, ranks and collectives."""
