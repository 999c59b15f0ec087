;;; torchlore-eglot.el --- torchlore in Eglot -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; A class of servers of its own, so that options and pages concern no other server.  Loaded by torchlore.el.

;;; Code:

(require 'eglot)
(require 'torchlore)

(defclass torchlore-eglot-server (eglot-lsp-server) ()
  :documentation "The language server torchlore.")

(when torchlore-in-eglot
  (add-to-list 'eglot-server-programs
               (cons '(python-mode python-ts-mode)
                     (lambda (&rest _) (cons 'torchlore-eglot-server torchlore-command)))))
(add-to-list 'torchlore--backends
             (cons 'eglot--managed-mode (cons #'torchlore-eglot--offers #'torchlore-eglot--execute)))

(cl-defmethod eglot-initialization-options ((_server torchlore-eglot-server))
  "The user's options; none is an empty object, not a null."
  (or torchlore-initialization-options (make-hash-table)))

(cl-defmethod eglot-client-capabilities ((_server torchlore-eglot-server))
  "What Eglot can do, and that pages can be shown: older versions leave that out."
  (let* ((capabilities (cl-call-next-method))
         (window (plist-get capabilities :window)))
    (plist-put capabilities :window (plist-put (copy-sequence window) :showDocument '(:support t)))))

(cl-defmethod eglot-handle-request
  ((_server torchlore-eglot-server) (_method (eql window/showDocument)) &key uri external &allow-other-keys)
  "Show the page at URI in another window; what is EXTERNAL, in the browser."
  (if (eq external t)
      (browse-url uri)
    (torchlore-show-page (torchlore-eglot--path uri)))
  '(:success t))

(defun torchlore-eglot--path (uri)
  "The file that URI names."
  (funcall (if (fboundp 'eglot-uri-to-path) 'eglot-uri-to-path 'eglot--uri-to-path) uri))

(defun torchlore-eglot--server ()
  "The server of this buffer, where that is torchlore."
  (let ((server (eglot-current-server)))
    (unless (and server (object-of-class-p server 'torchlore-eglot-server))
      (user-error "Eglot runs another server in this buffer: see `torchlore-in-eglot'"))
    server))

(defun torchlore-eglot--offers ()
  "The commands that the server offers at point, as `torchlore--backends' has them."
  (torchlore-eglot--server)
  (let (offers)
    (dolist (action (append (eglot-code-actions (point) (point)) nil) (nreverse offers))
      ;; A bare Command has its name in `:command'; a CodeAction has a Command there.
      (let* ((inner (plist-get action :command))
             (command (if (stringp inner) action inner)))
        (when command
          (push (list (plist-get action :title)
                      (plist-get command :command)
                      (elt (plist-get command :arguments) 0))
                offers))))))

(defun torchlore-eglot--execute (command argument)
  "Have the server run COMMAND on ARGUMENT."
  (jsonrpc-request (torchlore-eglot--server) :workspace/executeCommand
                   (list :command command :arguments (vector argument))))

(provide 'torchlore-eglot)
;;; torchlore-eglot.el ends here
