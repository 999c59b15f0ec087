-- The client's half of torchlore for Neovim 0.11 or newer: `vim.lsp.enable('torchlore')` reads this file.
local torchlore = require('torchlore')

return vim.tbl_extend('force', torchlore.config, {
  -- It takes the place of `root_markers`, which the user may have set.
  root_dir = function(buffer, start_in)
    if torchlore.wants(buffer) then
      start_in(vim.fs.root(buffer, vim.lsp.config.torchlore.root_markers or {}))
    end
  end,
})
