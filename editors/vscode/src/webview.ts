/** A page of our own beside the code. Like `vscodeapi.ts` it knows VS Code, and nothing of what is shown. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

export interface WebView {
  /** Shows HTML that is safe to show; the page holds nothing else. */
  show(html: string): void;
  /** Brings it up, without taking the cursor from the code. */
  reveal(): void;
  dispose(): void;
}

export interface WebViewEvents {
  /** The page has loaded, perhaps again: VS Code drops it while it is hidden. */
  onReady(): void;
  /** A button of the page was pressed: what it does, and to which run. */
  onAction(name: string, run: string): void;
  onClosed(): void;
}

export function openWebView(home: string, events: WebViewEvents): WebView {
  const folder = vscode.Uri.file(home);
  const where = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
  const panel = vscode.window.createWebviewPanel("torchlore.runs", "PyTorch Runs", where, {
    enableScripts: true,
    localResourceRoots: [vscode.Uri.joinPath(folder, "dist")],
  });
  panel.iconPath = vscode.Uri.joinPath(folder, "icon.png");
  panel.webview.onDidReceiveMessage((message: { action?: unknown; run?: unknown }) => {
    if (message.action === "ready") events.onReady();
    else if (typeof message.action === "string") events.onAction(message.action, String(message.run));
  });
  panel.onDidDispose(events.onClosed);
  panel.webview.html = frame(panel.webview, folder);
  return {
    show: (html) => void panel.webview.postMessage({ html }),
    reveal: () => panel.reveal(undefined, true),
    dispose: () => panel.dispose(),
  };
}

/** Pictures are in the page itself, and nothing is fetched but our own script and style. */
function frame(webview: vscode.Webview, folder: vscode.Uri): string {
  const file = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(folder, "dist", name));
  const nonce = randomBytes(16).toString("base64");
  const policy = `default-src 'none'; img-src data:; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="stylesheet" href="${file("panel.css")}">
</head>
<body><main></main><script nonce="${nonce}" src="${file("panel.js")}"></script></body>
</html>`;
}
