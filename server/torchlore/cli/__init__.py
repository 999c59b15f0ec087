"""The command line: check · explain · ask · run · serve · doctor · demo."""
