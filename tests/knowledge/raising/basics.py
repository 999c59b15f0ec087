"""What the cards about basics quote."""

ELSEWHERE = {"InductorError: InvalidCxxCompiler:": "a machine without a C++ compiler"}
