" Author: The torchlore developers
" Description: torchlore, a language server for PyTorch. ALE finds this file on the runtime path.

call ale#Set('python_torchlore_executable', 'torchlore')
call ale#Set('python_torchlore_options', {})

call ale#linter#Define('python', {
\   'name': 'torchlore',
\   'lsp': 'stdio',
\   'executable': {buffer -> ale#Var(buffer, 'python_torchlore_executable')},
\   'command': '%e serve',
\   'project_root': function('ale#python#FindProjectRoot'),
\   'initialization_options': {buffer -> ale#Var(buffer, 'python_torchlore_options')},
\})
