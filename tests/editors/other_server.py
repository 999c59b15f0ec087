"""Another language server beside ours: it answers every hover with the same words, and knows nothing else."""

from __future__ import annotations

import json
import sys
from typing import Any

ANSWER = "the answer of pyright"


def main() -> None:
    while (message := read()) is not None:
        if message.get("method") == "exit":
            return
        if "id" in message and "method" in message:
            write({"jsonrpc": "2.0", "id": message["id"], "result": answer(message["method"])})


def answer(method: str) -> Any:
    if method == "initialize":
        return {"capabilities": {"textDocumentSync": 1, "hoverProvider": True}}
    if method == "textDocument/hover":
        return {"contents": {"kind": "plaintext", "value": ANSWER}}
    return None


def read() -> Any:
    length = 0
    while (line := sys.stdin.buffer.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(sys.stdin.buffer.read(length)) if length else None


def write(message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
