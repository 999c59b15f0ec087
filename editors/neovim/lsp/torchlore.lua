-- The client's half of torchlore for Neovim 0.11 or newer: `vim.lsp.enable('torchlore')` reads this file.

-- Answers and results are Markdown files. They open in the preview window (`:pclose` shuts it): the default
-- would put them in place of the code that they are about.
local function show_document(err, params, context)
  if params.external or not vim.endswith(params.uri, '.md') then
    return vim.lsp.handlers['window/showDocument'](err, params, context)
  end
  vim.cmd.pedit({ vim.fn.fnameescape(vim.uri_to_fname(params.uri)), mods = { split = 'botright', silent = true } })
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.wo[window].previewwindow then
      vim.wo[window].conceallevel = 2
      vim.wo[window].wrap = true
      vim.bo[vim.api.nvim_win_get_buf(window)].modifiable = false
    end
  end
  return { success = true }
end

return {
  cmd = { 'torchlore', 'serve' },
  filetypes = { 'python' },
  root_markers = { 'pyproject.toml', 'setup.py', 'setup.cfg', 'requirements.txt', '.git' },
  -- Neovim has no Restricted Mode. Nothing runs unless you ask; `true` forbids even that.
  init_options = { untrustedWorkspace = false },
  handlers = { ['window/showDocument'] = show_document },
}
