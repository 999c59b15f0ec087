-- The client's half of torchlore for Neovim 0.11 or newer: `vim.lsp.enable('torchlore')` reads this file.
return require('torchlore').config
