"""The language server: one module per LSP feature. The only room that knows the protocol.

`create_server` in `server.py` puts the features together, `start.py` runs them over stdio or TCP.
Importing this package loads nothing, so that `torchlore check` does not pay for the protocol types.
"""
