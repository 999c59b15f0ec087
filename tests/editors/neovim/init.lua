-- What a user's init.lua holds, with the server of this checkout in place of the one on the PATH.
vim.opt.runtimepath:append(vim.env.TORCHLORE_NEOVIM)
vim.lsp.config('torchlore', {
  cmd = { vim.env.TORCHLORE_PYTHON, '-m', 'torchlore', 'serve' },
  init_options = { interpreter = vim.env.TORCHLORE_PYTHON },
})
vim.lsp.enable('torchlore')
vim.opt.swapfile = false
package.path = vim.env.TORCHLORE_SCENARIOS .. '/?.lua;' .. package.path
