-- :TorchloreAsk, :TorchloreExplain and :TorchloreRun, in buffers where the server is attached.
-- Before Neovim 0.8 there is no such event: `require('torchlore').setup()` defines them there.
if vim.fn.has('nvim-0.8') == 0 then
  return
end

vim.api.nvim_create_autocmd('LspAttach', {
  group = vim.api.nvim_create_augroup('torchlore', {}),
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'torchlore' then
      require('torchlore').define_commands(event.buf)
    end
  end,
})
