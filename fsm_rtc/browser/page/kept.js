// What the browser keeps for the page, where it lets it. Blocked storage throws at the first touch of `localStorage`.

/** @param {string} key */
export function keptText(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {string} key
 * @param {string} text
 */
export function keepText(key, text) {
  try {
    localStorage.setItem(key, text);
  } catch {
    // It is asked for again at the next visit.
  }
}
