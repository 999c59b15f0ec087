/* The search and the switch of the theme. Reads `window.torchloreFound`, which found.js sets. */
"use strict";

(() => {
  const MOST = 12;
  const html = document.documentElement;
  const root = html.dataset.root;
  const input = document.getElementById("search");
  const list = document.getElementById("found");
  const { cards, silent, words } = window.torchloreFound;
  const vocabulary = Object.keys(words);
  let at = -1;

  /** The words that `typed` may stand for, each with how sure that is: itself, its stem, what it begins, a slip. */
  function meant(typed) {
    const found = new Map();
    for (const word of vocabulary) {
      if (word === typed) found.set(word, 1);
      else if (typed.startsWith(word) && word.length > 2 && typed.length - word.length < 5) found.set(word, 0.9);
      else if (word.startsWith(typed) && typed.length > 1) found.set(word, 0.6 * (typed.length / word.length));
    }
    if (found.size === 0 && typed.length > 3) {
      const most = typed.length < 8 ? 1 : 2;
      for (const word of vocabulary) {
        if (slips(typed, word, most) <= most || slips(typed.slice(0, word.length), word, most) <= most - 1) {
          found.set(word, 0.5);
        }
      }
    }
    return found;
  }

  /** How many letters are too many, missing, wrong or swapped between two words; more than `most` is only that. */
  function slips(one, other, most) {
    if (Math.abs(one.length - other.length) > most) return most + 1;
    let before = [];
    let row = Array.from({ length: other.length + 1 }, (_, j) => j);
    for (let i = 1; i <= one.length; i++) {
      const above = before;
      before = row;
      row = [i];
      for (let j = 1; j <= other.length; j++) {
        let least = Math.min(before[j - 1] + (one[i - 1] !== other[j - 1]), before[j] + 1, row[j - 1] + 1);
        if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
          least = Math.min(least, above[j - 2] + 1);
        }
        row.push(least);
      }
      if (Math.min(...row) > most) return most + 1;
    }
    return row[other.length];
  }

  /** The numbers of the cards that answer best. */
  function search(text) {
    const total = new Map();
    const all = [...new Set(text.toLowerCase().match(/[a-z][a-z0-9_]*/g) ?? [])];
    const telling = all.filter((word) => !silent.includes(word));
    for (const typed of telling.length ? telling : all) {
      const best = new Map();
      for (const [word, sure] of meant(typed.replace(/_+$/, ""))) {
        const weights = words[word];
        for (let i = 0; i < weights.length; i += 2) {
          best.set(weights[i], Math.max(best.get(weights[i]) ?? 0, sure * weights[i + 1]));
        }
      }
      for (const [card, weight] of best) total.set(card, (total.get(card) ?? 0) + weight);
    }
    return [...total].sort((one, other) => other[1] - one[1] || one[0] - other[0]).slice(0, MOST).map(([card]) => card);
  }

  function show() {
    const text = input.value.trim();
    list.replaceChildren(...(text ? entries(search(text)) : []));
    open(text !== "");
    choose(list.querySelector("a") ? 0 : -1);
  }

  function entries(found) {
    if (found.length === 0) {
      const nothing = document.createElement("li");
      nothing.className = "nothing";
      nothing.textContent = "Nothing found";
      return [nothing];
    }
    return found.map((number, place) => {
      const [slug, question, about] = cards[number];
      const entry = document.createElement("li");
      const link = document.createElement("a");
      const small = document.createElement("span");
      entry.id = `found-${place}`;
      entry.setAttribute("role", "option");
      link.href = `${root}cards/${slug}.html`;
      link.tabIndex = -1;
      small.className = "about";
      small.textContent = about;
      link.append(question, " ", small);
      entry.append(link);
      return entry;
    });
  }

  function open(isOpen) {
    list.hidden = !isOpen;
    input.setAttribute("aria-expanded", String(isOpen));
  }

  function choose(place) {
    const options = [...list.querySelectorAll("[role=option]")];
    at = options.length ? (place + options.length) % options.length : -1;
    options.forEach((option, number) => option.setAttribute("aria-selected", String(number === at)));
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", options[at].id);
      options[at].scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  input.addEventListener("input", show);
  input.addEventListener("focus", () => input.value.trim() && show());
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) show();
      else choose(at + (event.key === "ArrowDown" ? 1 : -1));
      event.preventDefault();
    } else if (event.key === "Enter" && at >= 0) {
      list.querySelectorAll("a")[at].click();
    } else if (event.key === "Escape") {
      open(false);
    }
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".search")) open(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, textarea, [contenteditable]")) {
      input.focus();
      event.preventDefault();
    }
  });

  const theme = document.getElementById("theme");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");

  function isDark() {
    return html.dataset.theme ? html.dataset.theme === "dark" : prefersDark.matches;
  }

  function name() {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", isDark() ? "Show in light colours" : "Show in dark colours");
  }

  theme.addEventListener("click", () => {
    html.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("torchlore-theme", html.dataset.theme);
    } catch {
      /* A browser may keep nothing for pages from disk; then the choice holds for this page. */
    }
    name();
  });
  prefersDark.addEventListener("change", name);
  name();
})();
