;;; torchlore.el --- Answers and silent bugs in PyTorch code -*- lexical-binding: t; -*-

;; Author: The torchlore developers
;; Version: 0.1.0
;; Package-Requires: ((emacs "26.3"))
;; Keywords: languages, tools
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Makes the language server `torchlore' known to Eglot and to lsp-mode, whichever of them is loaded, and
;; adds three commands: `torchlore-ask', `torchlore-explain' and `torchlore-run'.  With lsp-mode it runs
;; beside the Python server that is there; Eglot has one server for each buffer.

;;; Code:

(require 'seq)

(defgroup torchlore nil
  "Answers and silent bugs in PyTorch code."
  :group 'tools
  :prefix "torchlore-")

(defcustom torchlore-command '("torchlore" "serve")
  "The program that is the server, and its arguments."
  :type '(repeat string))

(defcustom torchlore-initialization-options nil
  "What the server is told when it starts, as a property list.
For instance (:interpreter \"~/envs/torch/bin/python\"): the Python with your
PyTorch.  (:untrustedWorkspace t) forbids that anything is run."
  :type 'plist)

(defcustom torchlore-in-eglot t
  "Whether Eglot starts torchlore in Python files.
Eglot has one server for each buffer: nil leaves that to the one you have.
Set it before this file is loaded."
  :type 'boolean)

(defvar torchlore--backends nil
  "How to reach the server: an alist of functions, by what they are for.
The keys are the minor modes `eglot--managed-mode' and `lsp-mode'.  A value is
a pair: a function that gives the commands offered at point, as a list of
\(TITLE COMMAND ARGUMENT), and one that has the server run COMMAND on ARGUMENT.")

;;;###autoload
(defun torchlore-ask (question)
  "Show the card that answers QUESTION: words, a name, or an error message."
  (interactive (list (read-string "Ask about PyTorch: " (torchlore--selected))))
  (funcall (cddr (torchlore--backend)) "torchlore.ask" (list :words question)))

;;;###autoload
(defun torchlore-explain ()
  "Show the whole answer to the question behind the name at point."
  (interactive)
  (torchlore--choose "torchlore.explain" "explain"))

;;;###autoload
(defun torchlore-run ()
  "Run the proof for the name at point on your own device."
  (interactive)
  (torchlore--choose "torchlore.run" "run"))

(defun torchlore--choose (command verb)
  "Carry out one of the offers at point to do COMMAND.
VERB says in a message what there is nothing to do for."
  (let* ((backend (torchlore--backend))
         (offers (seq-filter (lambda (offer) (equal (nth 1 offer) command))
                             (funcall (cadr backend))))
         (titles (mapcar #'car offers)))
    (unless offers
      (user-error "There is nothing of PyTorch to %s here" verb))
    (let ((title (if (cdr titles)
                     (completing-read (format "%s: " (capitalize verb)) titles nil t)
                   (car titles))))
      (funcall (cddr backend) command (nth 2 (assoc title offers))))))

(defun torchlore--backend ()
  "The entry of `torchlore--backends' for this buffer."
  (or (seq-find (lambda (backend)
                  (and (boundp (car backend)) (symbol-value (car backend))))
                torchlore--backends)
      (user-error "No torchlore in this buffer: start it with `M-x eglot' or `M-x lsp'")))

(defun torchlore--selected ()
  "The selected text, or nil."
  (when (use-region-p)
    (buffer-substring-no-properties (region-beginning) (region-end))))

(defun torchlore-show-page (file)
  "Show FILE, a page of Markdown, in another window.
One that is shown already and was written again is read again, unasked:
the server waits meanwhile."
  (with-current-buffer (let ((revert-without-query '("")))
                         (find-file-noselect file))
    (view-mode 1)
    (display-buffer (current-buffer))))

(provide 'torchlore)

;; Below `provide': where one of them is loaded already, what is required here requires this file.
(with-eval-after-load 'eglot (require 'torchlore-eglot))
(with-eval-after-load 'lsp-mode (require 'torchlore-lsp-mode))
;;; torchlore.el ends here
