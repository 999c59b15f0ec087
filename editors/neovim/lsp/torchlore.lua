-- The client's half of torchlore for Neovim 0.11 or newer: `vim.lsp.enable('torchlore')` reads this file.
return {
  cmd = { 'torchlore', 'serve' },
  filetypes = { 'python' },
  root_markers = { 'pyproject.toml', 'setup.py', 'setup.cfg', 'requirements.txt', '.git' },
  -- Neovim has no Restricted Mode. Nothing runs unless you ask; `true` forbids even that.
  init_options = { untrustedWorkspace = false },
}
