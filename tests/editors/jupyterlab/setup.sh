#!/usr/bin/env bash
# Makes .cache/jupyterlab: JupyterLab with its language-server extension, the torchlore of this checkout, and what
# drives a browser. About a minute and 500 MB the first time. Chromium comes from the system's package manager.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
home="$root/.cache/jupyterlab"

command -v chromium >/dev/null || {
  echo "The JupyterLab test needs Chromium, please install it." >&2
  exit 1
}
test -x "$home/bin/python" || python3 -m venv "$home"
"$home/bin/python" -m pip install --quiet --disable-pip-version-check \
  "jupyterlab==4.6.6" "jupyterlab-lsp==5.3.0" "ipykernel==7.4.0" "playwright==1.65.2" "$root"
