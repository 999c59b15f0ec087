"""A REST service of the standard library that asks itself: checked input, modes that belong to threads."""

import json
from http import client, server
from threading import Thread

import torch
from torch.nn import Dropout, Linear, Sequential

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model = Sequential(Linear(4, 16), Dropout(0.5), Linear(16, 3)).to(device).eval()  # once


class Handler(server.BaseHTTPRequestHandler):
    log_message = lambda *_: None  # noqa: E731

    def do_POST(self):
        try:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            x = torch.tensor(body["features"], dtype=torch.float32, device=device)
            if x.shape != (4,) or not x.isfinite().all():
                raise ValueError("features must be 4 finite numbers")
            assert torch.is_grad_enabled()  # although the main thread is in inference mode
            with torch.inference_mode():
                status, answer = 200, model(x).softmax(0).tolist()
        except (ValueError, TypeError, KeyError, RuntimeError) as error:
            status, answer = 422, str(error)
        self.send_response(status), self.end_headers(), self.wfile.write(json.dumps(answer).encode())


with torch.inference_mode(), server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as service:
    Thread(target=service.serve_forever, daemon=True).start()
    for features in ("[1, [2]]", "[1, 2]", "[NaN, 1, 2, 3]", "[1, 2, 3, 4]"):
        link = client.HTTPConnection(*service.server_address)
        link.request("POST", "/predict", f'{{"features": {features}}}')
        print(features, (reply := link.getresponse()).status, answer := json.loads(reply.read()))
        assert reply.status == (200 if features.endswith("4]") else 422)
    service.shutdown()
    torch.testing.assert_close(torch.tensor(answer), model(torch.arange(1.0, 5).to(device)).softmax(0).cpu())
