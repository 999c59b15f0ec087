" :TorchloreAsk {question}: the card that answers it.
" :TorchloreHover: what torchlore says of the name under the cursor; of the answers of several servers
" :ALEHover shows the one that comes last.

if exists('g:loaded_torchlore')
    finish
endif
let g:loaded_torchlore = 1

" ALE shows only errors of a server by default; an answer that was asked for comes as information.
let g:ale_lsp_show_message_severity = get(g:, 'ale_lsp_show_message_severity', 'information')

command! -nargs=+ TorchloreAsk call s:Ask(<q-args>)
command! TorchloreHover call s:Hover()

function! s:Ask(question) abort
    let l:message = ale#lsp#message#ExecuteCommand('torchlore.ask', [{'words': a:question}])
    call ale#lsp_linter#SendRequest(bufnr(''), 'torchlore', l:message)
endfunction

function! s:Hover() abort
    let l:column = max([min([col('.'), col('$') - 1]), 1])
    let l:message = ale#lsp#message#Hover(bufnr(''), line('.'), l:column)
    call ale#lsp_linter#SendRequest(bufnr(''), 'torchlore', l:message, function('s:ShowHover'))
endfunction

function! s:ShowHover(response) abort
    let l:result = get(a:response, 'result', v:null)
    if type(l:result) isnot v:t_dict
        echo 'torchlore has no answer for what is here'
        return
    endif
    let [l:commands, l:lines] = ale#hover#ParseLSPResult(l:result.contents)
    let l:options = {'filetype': 'ale-preview.message', 'stay_here': 1, 'commands': l:commands}
    call ale#preview#Show(l:lines, l:options)
endfunction
