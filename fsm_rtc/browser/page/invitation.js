// The link of a room, to hand on, and what it opens. A join token is a JSON Web Token (RFC 7519); it is read here to say what
// it is worth, the server verifies it.

/**
 * @param {string} page - the page's address
 * @param {string} room
 * @param {string} token - that which this side has joined with, or ""
 * @param {number} [now] - in seconds
 * @returns {{url: string, words: string}} the link, and what is to be said about it
 */
export function invitation(page, room, token, now = Date.now() / 1000) {
  const url = new URL(page);
  url.search = url.hash = "";
  url.searchParams.set("room", room);
  if (token === "") {
    return { url: url.href, words: "Whoever opens it can join, unless this server asks for a token or lets in certain keys only." };
  }
  const claims = claimsOf(token);
  if (claims?.sub !== undefined) {
    const words = "It is without your token, which holds for your browser alone: who opens it needs a token of their own.";
    return { url: url.href, words };
  }
  url.searchParams.set("token", token);
  if (typeof claims?.exp !== "number") return { url: url.href, words: "It holds your token: whoever has it can join while that is valid." };
  if (claims.exp <= now) return { url: url.href, words: "But its token has expired: it lets nobody in. Ask for a new one." };
  const until = new Date(claims.exp * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return { url: url.href, words: `It holds your token: whoever has it can join until ${until}.` };
}

/** @param {string} token */
function claimsOf(token) {
  try {
    const [, payload = ""] = token.split(".");
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
