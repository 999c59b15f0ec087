"""Rules about comments that speak to torchlore (TL0xx)."""
