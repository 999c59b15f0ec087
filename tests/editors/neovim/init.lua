-- What a user's init.lua holds, with the server of this checkout in place of the one on the PATH.
vim.opt.runtimepath:append(vim.env.TORCHLORE_EDITORS .. '/neovim')
local ours = {
  cmd = { vim.env.TORCHLORE_PYTHON, '-m', 'torchlore', 'serve' },
  init_options = { interpreter = vim.env.TORCHLORE_PYTHON },
}
if vim.lsp.config then
  vim.lsp.config('torchlore', ours)
  vim.lsp.enable('torchlore')
else
  vim.cmd('filetype on') -- `--clean` leaves that to later than this file.
  require('torchlore').setup(ours)
end
vim.opt.swapfile = false
package.path = vim.env.TORCHLORE_SCENARIOS .. '/?.lua;' .. package.path
