/** What the pages of the panel are put together from. */

/** Text that is nothing but text, between elements and in the value of an attribute. */
export function escaped(text: string): string {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(text).replace(/[&<>"']/g, (character) => names[character] ?? character);
}

/** @param content is HTML. */
export const titled = (title: string, content: string): string => `<section><h2>${title}</h2>${content}</section>`;

/** A table with a row of headings; numbers stand to the right. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cell = (content: string | number) =>
    typeof content === "number" ? `<td class="number">${grouped(content)}</td>` : `<td>${escaped(content)}</td>`;
  const head = headings.map((heading) => `<th>${escaped(heading)}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("");
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

export const mebibytes = (bytes: number | null): string | undefined =>
  bytes === null ? undefined : `${grouped(Math.round(bytes / 2 ** 20))} MiB`;

const grouped = (number: number): string => Number(number).toLocaleString("en");
