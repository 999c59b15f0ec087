-- :checkhealth torchlore: the program, what `torchlore doctor` says of this machine, and the server here.
local health = {}

-- Neovim 0.10 renamed these, and 0.8 moved them.
local reports = vim.health or require('health')
local start = reports.start or reports.report_start
local ok = reports.ok or reports.report_ok
local info = reports.info or reports.report_info
local warn = reports.warn or reports.report_warn
local error = reports.error or reports.report_error

local function command()
  local configured = vim.lsp.config and vim.lsp.config.torchlore or require('torchlore').config
  return type(configured.cmd) == 'table' and configured.cmd or { 'torchlore', 'serve' }
end

--- What a program prints, line by line, and whether it ended with 0.
local function lines_of(program)
  local printed = vim.fn.systemlist(program)
  return printed, vim.v.shell_error == 0
end

local function check_program(serve)
  start('torchlore: the program')
  if vim.fn.executable(serve[1]) == 0 then
    error(serve[1] .. ' is not on the PATH', {
      '`pip install .` in a clone of torchlore, in an environment that is on your PATH',
      "or name it: vim.lsp.config('torchlore', { cmd = { '/path/to/torchlore', 'serve' } })",
    })
    return false
  end
  -- The command without its last word, `serve`, is how every other command is started.
  local program = vim.list_slice(serve, 1, #serve - 1)
  local version, fine = lines_of(vim.list_extend(vim.deepcopy(program), { '--version' }))
  if not fine then
    error(serve[1] .. ' does not start', version)
    return false
  end
  ok(version[1] .. ' (' .. vim.fn.exepath(serve[1]) .. ')')
  start('torchlore: this machine')
  local found, all_there = lines_of(vim.list_extend(program, { 'doctor' }))
  for _, line in ipairs(found) do
    if line:match('^problem') then
      warn(line)
    else
      info(line)
    end
  end
  if all_there then
    ok('proofs can run')
  end
  return true
end

local function check_server()
  start('torchlore: the server')
  local names, running = {}, false
  local clients = vim.lsp.get_clients or vim.lsp.get_active_clients
  for _, client in pairs(clients()) do
    running = running or client.name == 'torchlore'
    table.insert(names, client.name)
  end
  if running then
    ok('running; all servers: ' .. table.concat(names, ', '))
  else
    local enable = vim.lsp.enable and "vim.lsp.enable('torchlore')" or "require('torchlore').setup()"
    warn('not running; it starts with the first Python file', { 'open one, or add ' .. enable .. ' to your init.lua' })
  end
end

function health.check()
  if check_program(command()) then
    check_server()
  end
end

return health
