"""How a server starts and ends, above all when its client dies without a word."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from harness import SECONDS, server_command, server_environment
from raw import Raw, lives, until

LONG = "import torch\n" + "".join(f"def f{n}(x):\n    return torch.relu(x) + {n}\n" for n in range(6000))
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and process ids are POSIX's")


def test_shutdown_and_exit_end_it_with_success() -> None:
    server = Raw()
    server.start()
    assert server.leave() == 0


def test_exit_without_shutdown_ends_it_with_failure() -> None:
    server = Raw()
    server.start()
    server.send("exit")
    assert server.ended() == 1


@pytest.mark.parametrize("goodbye", ["exit", "end of input", "half a message"])
def test_it_ends_in_the_middle_of_an_analysis(goodbye: str) -> None:
    """pygls waits for the thread, whose answer to a closed output it then reports without end."""
    server = Raw()
    server.start()
    uri = server.open(LONG)
    document = {"uri": uri}
    server.send("textDocument/hover", {"textDocument": document, "position": {"line": 1, "character": 2}}, 5)
    if goodbye == "exit":
        assert server.leave() == 0
        return
    if goodbye == "half a message":
        server.write(b'Content-Length: 1000\r\n\r\n{"jsonrpc": ')
    assert server.process.stdin is not None
    server.process.stdin.close()
    assert server.ended() == 1


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_though_its_input_stays_open(name: str, tmp_path: Path) -> None:
    """Ctrl-C once waited for the client, and a page's folder was left behind."""
    command = ["env", f"TMPDIR={tmp_path}", *server_command()]
    server = Raw(command)
    server.start()
    server.send("initialized", {})
    server.send(
        "workspace/executeCommand", {"command": "torchlore.explain", "arguments": [{"code": "TL101"}]}, 1
    )
    server.answer(1)
    assert list(tmp_path.iterdir())
    number = getattr(signal, name)
    server.process.send_signal(number)
    assert server.process.wait(SECONDS) == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_garbage_between_messages_does_not_end_it() -> None:
    server = Raw()
    server.start()
    for garbage in (b"Content-Length: 7\r\n\r\nnotjson", b"Content-Length: 2\r\n\r\n[]", b"what?\r\n"):
        server.write(garbage)
    server.send("textDocument/hover", {"textDocument": 3}, 6)
    assert server.answer(6)["error"]["code"] == -32602
    server.send("$/cancelRequest", {"id": 12345})
    assert server.leave() == 0


LOUD = """
from torchlore.lsp import server, start
create = server.create_server
def loud():
    print("loud", flush=True)
    return create()
server.create_server = loud
raise SystemExit(start.serve_stdio())
"""


def test_print_does_not_corrupt_the_protocol() -> None:
    """What a library prints goes to stderr: stdout is the connection."""
    server = Raw([sys.executable, "-c", LOUD])
    server.start()
    assert server.leave() == 0


CLIENT = """
import sys, time
sys.path[:0] = {paths!r}
from raw import Raw
server = Raw()
server.start(parent=__import__("os").getpid())
print(server.process.pid, flush=True)
{more}
time.sleep(600)
"""


def _client_with_server(more: str = "") -> tuple[subprocess.Popen[str], int]:
    here = str(Path(__file__).parent)
    script = CLIENT.format(paths=[here], more=more)
    client = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    return client, int(client.stdout.readline())


@posix
def test_a_killed_client_leaves_no_orphan() -> None:
    client, server = _client_with_server()
    assert lives(server)
    client.send_signal(signal.SIGKILL)
    client.communicate()
    until(lambda: not lives(server))


@posix
def test_a_killed_client_leaves_no_running_snippet(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    code = f"import os, time\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
    params = {"command": "torchlore.run", "arguments": [{"code": code}]}
    more = f"server.send('workspace/executeCommand', {params!r}, 7)"
    client, server = _client_with_server(more)
    until(lambda: marker.exists() and bool(marker.read_text()))
    snippet = int(marker.read_text())
    client.send_signal(signal.SIGKILL)
    client.communicate()
    until(lambda: not lives(server))
    until(lambda: not lives(snippet))


@posix
def test_it_leaves_when_the_clients_process_is_gone_though_its_input_stays_open() -> None:
    """pygls notes the process id and never looks at it; a shell or a wrapper may hold the pipe open."""
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    server = Raw()
    server.start(parent=parent.pid)
    parent.kill()
    parent.wait()
    assert server.ended() == 1


@posix
def test_a_process_id_of_another_machine_is_not_watched() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    server = Raw()
    server.start(parent=gone.pid)
    assert server.leave() == 0


def test_it_serves_one_client_over_tcp_and_ends_with_it() -> None:
    process = subprocess.Popen(
        [*server_command(), "--tcp", "--port", "0"],
        stderr=subprocess.PIPE,
        env=server_environment(),
        text=True,
    )
    assert process.stderr is not None
    address = re.search(r"listening on ([\d.]+):(\d+)", process.stderr.readline())
    assert address is not None
    with socket.create_connection((address[1], int(address[2])), SECONDS) as connection:
        body = json.dumps(
            {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "initialize",
                "params": {"processId": os.getpid(), "rootUri": None, "capabilities": {}},
            }
        ).encode()
        connection.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        assert b"torchlore" in connection.recv(65536)
    assert process.wait(SECONDS) == 1
    process.stderr.close()
