/**
 * Made by manifest.py from the server's options: run `make -C editors/vscode manifest`.
 *
 * For each option that settings call by words, what they mean to the server; null leaves it open.
 */
export const SERVER_OPTIONS = {
  interpreter: {},
  device: {},
  warm: {},
  runOwnCode: { ask: null, always: true, never: false },
  typeCheckedDeprecations: { auto: null, on: true, off: false },
  completion: {},
  signatureHelp: {},
  inlayHints: {},
  codeLens: {},
  documentLinks: {},
  workspaceSymbols: {},
  workspaceDiagnostics: {},
} as const;
