-- :TorchloreExplain and :TorchloreRun, in buffers where the server is attached.
--
-- Both take the code action at the cursor that carries the server's command, so that there is one place
-- which decides what a name means. With several to choose from, vim.ui.select asks.

local commands = {
  TorchloreExplain = { 'torchlore.explain', 'Explain the name of PyTorch under the cursor' },
  TorchloreRun = { 'torchlore.run', 'Run the proof for the name of PyTorch under the cursor' },
}

local function carries(action, command)
  -- A bare Command has its name in `command`; a CodeAction has a Command there.
  local carried = type(action.command) == 'table' and action.command.command or action.command
  return carried == command
end

local function define(buffer)
  for name, about in pairs(commands) do
    local command, description = unpack(about)
    vim.api.nvim_buf_create_user_command(buffer, name, function()
      vim.lsp.buf.code_action({
        apply = true,
        filter = function(action)
          return carries(action, command)
        end,
      })
    end, { desc = description })
  end
end

vim.api.nvim_create_autocmd('LspAttach', {
  group = vim.api.nvim_create_augroup('torchlore', {}),
  callback = function(event)
    local client = vim.lsp.get_client_by_id(event.data.client_id)
    if client and client.name == 'torchlore' then
      define(event.buf)
    end
  end,
})
