;;; torchlore-lsp-mode.el --- torchlore in lsp-mode -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; An add-on client: it starts beside the Python server that lsp-mode chooses.  Loaded by torchlore.el.

;;; Code:

(require 'lsp-mode)
(require 'torchlore)

(lsp-register-client
 (make-lsp-client
  :new-connection (lsp-stdio-connection (lambda () torchlore-command))
  :activation-fn (lsp-activate-on "python")
  :server-id 'torchlore
  :add-on? t
  :initialization-options (lambda () (or torchlore-initialization-options (make-hash-table)))))

(add-to-list 'torchlore--backends
             (cons 'lsp-mode (cons #'torchlore-lsp-mode--offers #'torchlore-lsp-mode--execute)))

(defun torchlore-lsp-mode--offers ()
  "The commands that the server offers at point, as `torchlore--backends' has them."
  (let (offers)
    (with-lsp-workspace (torchlore-lsp-mode--workspace)
      (seq-doseq (action (lsp-code-actions-at-point))
        ;; A bare Command has its name in `command'; a CodeAction has a Command there.
        (let* ((inner (lsp:code-action-command? action))
               (command (if (stringp inner) action inner)))
          (when command
            (push (list (lsp:code-action-title action)
                        (lsp:command-command command)
                        (elt (lsp:command-arguments? command) 0))
                  offers)))))
    (nreverse offers)))

(defun torchlore-lsp-mode--execute (command argument)
  "Have the server run COMMAND on ARGUMENT, and no other server."
  (with-lsp-workspace (torchlore-lsp-mode--workspace)
    (lsp-request "workspace/executeCommand" (list :command command :arguments (vector argument)))))

(defun torchlore-lsp-mode--workspace ()
  "The running server of this buffer."
  (or (lsp-find-workspace 'torchlore (buffer-file-name))
      (user-error "No torchlore in this buffer")))

(provide 'torchlore-lsp-mode)
;;; torchlore-lsp-mode.el ends here
