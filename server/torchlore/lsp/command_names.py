"""The commands that the server runs and that code actions and hovers name."""

EXPLAIN = "torchlore.explain"
RUN = "torchlore.run"
