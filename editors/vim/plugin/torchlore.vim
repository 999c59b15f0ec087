" :TorchloreAsk {question}: the card that answers it.

if exists('g:loaded_torchlore')
    finish
endif
let g:loaded_torchlore = 1

" ALE shows only errors of a server by default; an answer that was asked for comes as information.
let g:ale_lsp_show_message_severity = get(g:, 'ale_lsp_show_message_severity', 'information')

command! -nargs=+ TorchloreAsk call s:Ask(<q-args>)

function! s:Ask(question) abort
    let l:message = ale#lsp#message#ExecuteCommand('torchlore.ask', [{'words': a:question}])
    call ale#lsp_linter#SendRequest(bufnr(''), 'torchlore', l:message)
endfunction
