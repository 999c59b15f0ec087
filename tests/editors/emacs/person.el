;;; person.el --- What a person does in Emacs, and what they then see -*- lexical-binding: t; -*-

;; For the scenarios of test_emacs.py.  The server is the one of this checkout.

(require 'json)
(require 'subr-x)
(require 'flymake)

;; `--batch' leaves out what a start in a window does: what packages load by themselves.
(package-initialize)

(defconst person-patience 60)

(setq make-backup-files nil
      auto-save-default nil
      create-lockfiles nil
      enable-local-variables nil)
(add-to-list 'load-path (expand-file-name "emacs" (getenv "TORCHLORE_EDITORS")))
(require 'torchlore)
(setq torchlore-command (list (getenv "TORCHLORE_PYTHON") "-m" "torchlore" "serve")
      torchlore-initialization-options (list :interpreter (getenv "TORCHLORE_PYTHON")))

(defun person-await (what condition)
  "Wait until CONDITION gives something, and return that; WHAT it is goes into the failure."
  (let ((deadline (+ (float-time) person-patience))
        found)
    (while (not (setq found (funcall condition)))
      (when (> (float-time) deadline)
        (error "Never saw %s; messages: %s" what
               (with-current-buffer (messages-buffer) (buffer-string))))
      (accept-process-output nil 0.05))
    found))

(defun person-start (client)
  "Start CLIENT, `eglot' or `lsp', as its manual says."
  (pcase client
    ('eglot
     (require 'eglot)
     (setq eglot-autoshutdown nil)
     (call-interactively #'eglot))
    ('lsp
     (setq lsp-session-file (expand-file-name "session" (getenv "HOME"))
           lsp-auto-guess-root t
           lsp-enable-snippet nil
           lsp-diagnostics-provider :flymake)
     (require 'lsp-mode)
     (lsp-workspace-folders-add default-directory)
     (lsp))))

(defun person-start-other-server ()
  "Register another Python server in lsp-mode, one that it would choose by itself."
  (require 'lsp-mode)
  (lsp-register-client
   (make-lsp-client
    :new-connection (lsp-stdio-connection
                     (lambda () (list (getenv "TORCHLORE_PYTHON") (getenv "TORCHLORE_OTHER"))))
    :activation-fn (lsp-activate-on "python")
    :priority 100
    :server-id 'pyright)))

(defun person-diagnostics ()
  "What is underlined, as a list of (line text-underlined message)."
  (mapcar (lambda (diagnostic)
            (let ((start (flymake-diagnostic-beg diagnostic)))
              (list (line-number-at-pos start)
                    (buffer-substring-no-properties start (flymake-diagnostic-end diagnostic))
                    (flymake-diagnostic-text diagnostic))))
          (flymake-diagnostics)))

(defun person-sees (words)
  "Wait until a message of what is underlined holds WORDS; return all."
  (person-await words
                (lambda ()
                  (let ((seen (person-diagnostics)))
                    (and (seq-some (lambda (item) (string-match-p (regexp-quote words) (nth 2 item))) seen)
                         seen)))))

(defun person-sees-no-more (words)
  "Wait until no message of what is underlined holds WORDS any more; return the rest."
  (person-await (concat words " gone")
                (lambda ()
                  (let ((seen (person-diagnostics)))
                    (unless (seq-some (lambda (item) (string-match-p (regexp-quote words) (nth 2 item))) seen)
                      (list seen)))))
  (person-diagnostics))

(defun person-go-to (text word)
  "Put point on the first character of WORD in the first line that holds TEXT."
  (goto-char (point-min))
  (search-forward text)
  (goto-char (match-beginning 0))
  (search-forward word)
  (goto-char (match-beginning 0)))

(defun person-hover ()
  "What the documentation buffer shows for the name at point."
  (let (text)
    (pcase (bound-and-true-p lsp-mode)
      ('nil (eglot-hover-eldoc-function (lambda (shown &rest _) (setq text (or shown "")))))
      (_ (lsp-describe-thing-at-point)
         (setq text (with-current-buffer "*lsp-help*" (buffer-string)))))
    (substring-no-properties (person-await "a hover" (lambda () text)))))

(defun person-choose (command matches)
  "Do COMMAND and choose the first thing whose title matches MATCHES; return all titles."
  (let* (titles
         (last-nonmenu-event ?x)
         (completing-read-function
          (lambda (_ collection &rest _)
            (setq titles (all-completions "" collection))
            (or (seq-find (lambda (title) (string-match-p matches title)) titles)
                (error "No %s among %S" matches titles)))))
    (call-interactively command)
    titles))

(defun person-page ()
  "The text of the page that is shown beside the code, once there is one."
  (person-await "a page"
                (lambda ()
                  (when-let ((page (seq-find (lambda (buffer)
                                               (string-suffix-p ".md" (or (buffer-file-name buffer) "")))
                                             (buffer-list))))
                    (with-current-buffer page (buffer-string))))))

(defun person-message (words)
  "What was said in the echo area, once it holds WORDS."
  (person-await words
                (lambda ()
                  (with-current-buffer (messages-buffer)
                    (and (string-match-p (regexp-quote words) (buffer-string)) (buffer-string))))))

(defun person-play (script scenario)
  "Open SCRIPT, do what the file SCENARIO says, and leave what it gives as JSON in $TORCHLORE_OUT."
  (let ((told (condition-case problem
                  (progn
                    (find-file script)
                    (list :result (eval (with-temp-buffer
                                          (insert-file-contents scenario)
                                          (read (format "(progn %s)" (buffer-string))))
                                        t)))
                (error (list :failure (error-message-string problem))))))
    (with-temp-file (getenv "TORCHLORE_OUT")
      (insert (json-serialize told)))
    (kill-emacs 0)))
