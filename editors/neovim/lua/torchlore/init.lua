-- What lsp/torchlore.lua and plugin/torchlore.lua share, and `setup` for a Neovim before 0.11.
--
-- Written in the words of Neovim 0.7, so that one file serves every version from there on.
local torchlore = {}

-- Answers and results are Markdown files. They open in the preview window (`:pclose` shuts it): the default
-- would put them in place of the code that they are about.
local function show_document(err, params, context)
  if params.external or not vim.endswith(params.uri, '.md') then
    local default = vim.lsp.handlers['window/showDocument']
    return default and default(err, params, context) or { success = false }
  end
  vim.cmd('silent botright pedit ' .. vim.fn.fnameescape(vim.uri_to_fname(params.uri)))
  for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if vim.wo[window].previewwindow then
      vim.wo[window].conceallevel = 2
      vim.wo[window].wrap = true
      vim.bo[vim.api.nvim_win_get_buf(window)].modifiable = false
    end
  end
  return { success = true }
end

--- The configuration of the client: what `vim.lsp.config` and `vim.lsp.start_client` take.
torchlore.config = {
  name = 'torchlore',
  cmd = { 'torchlore', 'serve' },
  filetypes = { 'python', 'toml' },
  root_markers = { 'pyproject.toml', 'setup.py', 'setup.cfg', 'requirements.txt', '.git' },
  -- Neovim has no Restricted Mode. Nothing runs unless you ask; `true` forbids even that.
  init_options = { untrustedWorkspace = false },
  handlers = { ['window/showDocument'] = show_document },
}

--- Whether the server has something to say about a buffer: about Python, and the keys of its own configuration.
function torchlore.wants(buffer)
  if vim.bo[buffer].filetype ~= 'toml' then
    return true
  end
  local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buffer), ':t')
  local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '\n')
  return name == 'torchlore.toml' or name == 'pyproject.toml' and text:find('[tool.torchlore', 1, true) ~= nil
end

--- Starts the server in Neovim 0.7 to 0.10; later ones have `vim.lsp.enable('torchlore')`.
---@param options table|nil what is different from `torchlore.config`
function torchlore.setup(options)
  if vim.lsp.config then
    vim.lsp.config('torchlore', options or {})
    return vim.lsp.enable('torchlore')
  end
  local config = vim.tbl_deep_extend('force', torchlore.config, options or {})
  -- Before 0.9 Neovim does not say that it can show a page; the handler above can.
  local shows = { window = { showDocument = { support = true } } }
  local can = config.capabilities or vim.lsp.protocol.make_client_capabilities()
  config.capabilities = vim.tbl_deep_extend('force', can, shows)
  local clients = {}
  local function start(event)
    if not torchlore.wants(event.buf) then
      return
    end
    local root = torchlore.root(event.buf, config.root_markers)
    if not clients[root] or vim.lsp.client_is_stopped(clients[root]) then
      local rooted = vim.tbl_extend('force', config, { root_dir = root })
      clients[root] = vim.lsp.start_client(rooted)
    end
    if clients[root] then
      vim.lsp.buf_attach_client(event.buf, clients[root])
      torchlore.define_commands(event.buf)
    end
  end
  vim.api.nvim_create_autocmd('FileType', {
    group = vim.api.nvim_create_augroup('torchlore-start', {}),
    pattern = config.filetypes,
    callback = start,
  })
  if vim.tbl_contains(config.filetypes, vim.bo.filetype) then
    start({ buf = vim.api.nvim_get_current_buf() })
  end
end

--- The nearest folder above the file that holds one of the markers, else the file's own.
function torchlore.root(buffer, markers)
  local file = vim.api.nvim_buf_get_name(buffer)
  local own = file == '' and vim.loop.cwd() or vim.fn.fnamemodify(file, ':p:h')
  local folder = own
  while true do
    for _, marker in ipairs(markers) do
      if vim.loop.fs_stat(folder .. '/' .. marker) then
        return folder
      end
    end
    local above = vim.fn.fnamemodify(folder, ':h')
    if above == folder then
      return own
    end
    folder = above
  end
end

--- :TorchloreAsk, :TorchloreExplain and :TorchloreRun in a buffer.
function torchlore.define_commands(buffer)
  local function define(name, action, options)
    vim.api.nvim_buf_create_user_command(buffer, name, action, options)
  end
  define('TorchloreAsk', function(call)
    torchlore.execute(buffer, { command = 'torchlore.ask', arguments = { { words = call.args } } })
  end, { nargs = '+', desc = 'Show the card that answers a question, a name or an error message' })
  define('TorchloreExplain', function()
    torchlore.choose(buffer, 'torchlore.explain', 'Explain')
  end, { desc = 'Explain the name of PyTorch under the cursor' })
  define('TorchloreRun', function()
    torchlore.choose(buffer, 'torchlore.run', 'Run')
  end, { desc = 'Run the proof for the name of PyTorch under the cursor' })
end

--- Carries out one of the offers under the cursor to do `command`. With several, vim.ui.select asks which.
--- They are the server's code actions, so that there is one place which decides what a name means.
function torchlore.choose(buffer, command, prompt)
  local client = torchlore.client(buffer)
  if not client then
    return torchlore.say_that_there_is_no_server()
  end
  local params = vim.lsp.util.make_range_params(0, client.offset_encoding)
  params.context = { diagnostics = {} }
  torchlore.request(client, buffer, 'textDocument/codeAction', params, function(_, actions)
    local offers = {}
    for _, action in ipairs(actions or {}) do
      -- A bare Command has its name in `command`; a CodeAction has a Command there.
      local carried = type(action.command) == 'table' and action.command or action
      if carried.command == command then
        table.insert(offers, { title = action.title, command = carried })
      end
    end
    if #offers == 0 then
      return vim.notify('torchlore: there is nothing of PyTorch to ' .. prompt:lower() .. ' here')
    end
    local function run(offer)
      if offer then
        torchlore.execute(buffer, { command = offer.command.command, arguments = offer.command.arguments })
      end
    end
    if #offers == 1 then
      return run(offers[1])
    end
    vim.ui.select(offers, {
      prompt = prompt .. ':',
      format_item = function(offer)
        return offer.title
      end,
    }, run)
  end)
end

--- Has the server run a command; no other server of the buffer hears of it.
function torchlore.execute(buffer, params)
  local client = torchlore.client(buffer)
  if not client then
    return torchlore.say_that_there_is_no_server()
  end
  local function answered(err)
    if err then
      vim.notify('torchlore: ' .. (err.message or 'the server gave no answer'), vim.log.levels.WARN)
    end
  end
  torchlore.request(client, buffer, 'workspace/executeCommand', params, answered)
end

--- Asks the server, and no other one of the buffer. Before Neovim 0.11 a client's functions took no client.
function torchlore.request(client, buffer, method, params, answered)
  if vim.fn.has('nvim-0.11') == 1 then
    client:request(method, params, answered, buffer)
  else
    client.request(method, params, answered, buffer)
  end
end

--- The server of a buffer, or nil.
function torchlore.client(buffer)
  local clients = vim.lsp.get_clients and vim.lsp.get_clients({ bufnr = buffer, name = 'torchlore' })
    or vim.lsp.buf_get_clients(buffer)
  for _, client in pairs(clients) do
    if client.name == 'torchlore' then
      return client
    end
  end
end

function torchlore.say_that_there_is_no_server()
  vim.notify('torchlore: its server is not running here; :checkhealth torchlore says why', vim.log.levels.WARN)
end

return torchlore
