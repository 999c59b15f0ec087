" What a person does in Vim with ALE, and what they then see. For the scenarios of test_vim.py.
set nocompatible nomore hidden noswapfile viminfo= encoding=utf-8
let g:ale_linters = {'python': split($TORCHLORE_LINTERS, ',')}
let g:ale_fix_on_save = 0
let g:ale_hover_to_preview = 1
let g:ale_hover_cursor = 0
let g:ale_history_log_output = 1
let g:ale_python_torchlore_executable = $TORCHLORE_START
let g:ale_python_torchlore_options = {'interpreter': $TORCHLORE_PYTHON}
let g:ale_python_pyright_executable = $TORCHLORE_OTHER
execute 'set runtimepath+=' . fnameescape($TORCHLORE_ALE)
execute 'set runtimepath+=' . fnameescape($TORCHLORE_EDITORS . '/vim')
filetype plugin on
syntax on

let s:patience = 60.0

" Waits until Condition gives something that is not empty, and returns that.
function! Await(what, Condition) abort
    let l:start = reltime()
    while reltimefloat(reltime(l:start)) < s:patience
        let l:found = a:Condition()
        if !empty(l:found)
            return l:found
        endif
        sleep 20m
    endwhile
    throw 'never saw ' . a:what . '; messages: ' . execute('messages')
endfunction

" The location list, once a code is in it.
function! Sees(code) abort
    return Await(a:code, {-> s:Has(a:code) ? s:Underlined() : []})
endfunction

function! SeesNoMore(code) abort
    call Await(a:code . ' gone', {-> s:Has(a:code) ? [] : [1]})
    return s:Underlined()
endfunction

function! s:Has(code) abort
    return !empty(filter(s:Underlined(), {_, item -> item.code ==# a:code}))
endfunction

function! s:Underlined() abort
    return map(copy(ale#engine#GetLoclist(bufnr(''))), {_, item -> {
    \   'code': get(item, 'code', ''),
    \   'line': item.lnum,
    \   'text': strpart(getline(item.lnum), item.col - 1, get(item, 'end_col', 0) - item.col + 1),
    \   'message': item.text,
    \}})
endfunction

" Puts the cursor on the first character of a word in the first line that holds the text.
function! GoTo(text, word) abort
    for l:number in range(1, line('$'))
        let l:at = stridx(getline(l:number), a:text)
        if l:at >= 0
            call cursor(l:number, stridx(getline(l:number), a:word, l:at) + 1)
            return
        endif
    endfor
    throw 'no line with ' . a:text
endfunction

" Does a command that hovers and returns the lines of the preview window, once it holds the words.
function! Hover(command, words) abort
    pclose
    execute a:command
    return Preview(a:words)
endfunction

" The lines of the preview window, once it holds the words.
function! Preview(words) abort
    return Await(a:words . ' in the preview window', {-> s:Preview(a:words)})
endfunction

function! s:Preview(words) abort
    for l:window in range(1, winnr('$'))
        let l:lines = getbufline(winbufnr(l:window), 1, '$')
        if getwinvar(l:window, '&previewwindow') && stridx(tolower(join(l:lines)), a:words) >= 0
            return l:lines
        endif
    endfor
    return []
endfunction

" Does :ALECodeAction, chooses the first action whose title holds the words, and saves; returns all titles.
function! Choose(words) abort
    let s:words = a:words
    let s:titles = []
    let l:before = b:changedtick
    ALECodeAction
    call Await('a change', {-> b:changedtick == l:before ? '' : 'yes'})
    silent write
    return s:titles
endfunction

call ale#util#GetFunction('strlen')
function! ale#util#Input(message, ...) abort
    let s:titles = filter(split(a:message, "\n"), {_, line -> line =~# '^\d\+) '})
    call map(s:titles, {_, line -> substitute(line, '^\d\+) ', '', '')})
    let l:fitting = filter(range(len(s:titles)), {_, number -> stridx(s:titles[number], s:words) >= 0})
    return empty(l:fitting) ? '' : string(l:fitting[0] + 1)
endfunction

" Runs one scenario and leaves what it returns, or how it failed, as JSON in $TORCHLORE_OUT.
function! Play(path) abort
    let l:told = {}
    try
        execute 'source ' . fnameescape(a:path)
        let l:told.result = Scenario()
    catch
        let l:told.failure = v:exception . ' at ' . v:throwpoint
    endtry
    call writefile([json_encode(l:told)], $TORCHLORE_OUT)
    qall!
endfunction
