-- What a person does in Neovim, with real keys, and what they then see. For the scenarios of test_neovim.py.
local person = {}

local PATIENCE = 30 * 1000

--- Waits until `condition` gives something and returns that.
function person.await(what, condition)
  local found
  local done = vim.wait(PATIENCE, function()
    found = condition()
    return found ~= nil and found ~= false
  end, 20)
  if not done then
    error('never saw ' .. what .. '; messages: ' .. vim.fn.execute('messages'), 2)
  end
  return found
end

--- The diagnostics of the buffer, once `enough` is content with them.
function person.diagnostics(what, enough)
  return person.await(what, function()
    local seen = vim.tbl_map(function(item)
      local line = vim.api.nvim_buf_get_lines(0, item.lnum, item.lnum + 1, true)[1]
      return {
        code = item.code,
        message = item.message,
        severity = item.severity,
        source = item.source,
        line = item.lnum + 1,
        text = item.end_lnum == item.lnum and line:sub(item.col + 1, item.end_col) or nil,
      }
    end, vim.diagnostic.get(0))
    return enough(seen) and seen
  end)
end

function person.with_code(code)
  return function(seen)
    for _, item in ipairs(seen) do
      if item.code == code then
        return true
      end
    end
    return false
  end
end

function person.without_code(code)
  return function(seen)
    return not person.with_code(code)(seen)
  end
end

--- Puts the cursor on the first character of `word` in the first line that holds `text`.
function person.go_to(text, word)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, true)) do
    local at = line:find(text, 1, true)
    if at then
      vim.api.nvim_win_set_cursor(0, { number, line:find(word or text, at, true) - 1 })
      return
    end
  end
  error('no line with ' .. text, 2)
end

function person.press(keys)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), 'xt', false)
end

--- Presses K and returns the lines of the window that opens.
function person.hover()
  person.press('K')
  local window = person.await('a hover', function()
    local id = vim.b.lsp_floating_preview
    return id and vim.api.nvim_win_is_valid(id) and id
  end)
  local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, true)
  vim.api.nvim_win_close(window, true)
  return lines
end

--- Presses gra and chooses the first action whose title `matches`; returns all titles, in order.
function person.choose(matches)
  local titles
  vim.ui.select = function(items, options, chosen)
    titles = vim.tbl_map(options.format_item or tostring, items)
    for index, title in ipairs(titles) do
      if title:find(matches) then
        return chosen(items[index], index)
      end
    end
    chosen(nil, nil)
  end
  person.press('gra')
  return person.await('code actions', function()
    return titles
  end)
end

--- The lines of the preview window, once it shows a page.
function person.page()
  return person.await('a page in the preview window', function()
    for _, window in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
      if vim.wo[window].previewwindow then
        return vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, true)
      end
    end
  end)
end

function person.buffer()
  return vim.api.nvim_buf_get_lines(0, 0, -1, true)
end

--- Another server beside ours, inside Neovim: it answers every hover with its own name.
function person.start_other_server(name)
  local function serve(_)
    local closing = false
    return {
      request = function(method, _, callback)
        if method == 'initialize' then
          callback(nil, { capabilities = { hoverProvider = true } })
        elseif method == 'textDocument/hover' then
          callback(nil, { contents = { kind = 'markdown', value = 'the answer of ' .. name } })
        else
          callback(nil, vim.NIL)
        end
        return true, 1
      end,
      notify = function()
        return true
      end,
      is_closing = function()
        return closing
      end,
      terminate = function()
        closing = true
      end,
    }
  end
  vim.lsp.start({ name = name, cmd = serve })
end

--- Runs one scenario and leaves what it returns, or how it failed, as JSON in $TORCHLORE_OUT.
function person.play(path)
  local fine, result = xpcall(dofile, debug.traceback, path)
  local told = fine and { result = result } or { failure = tostring(result) }
  vim.fn.writefile({ vim.json.encode(told) }, vim.env.TORCHLORE_OUT)
  vim.cmd('qall!')
end

return person
