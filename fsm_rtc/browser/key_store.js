// The browser's own key, kept in IndexedDB: the same id whenever this browser comes back to this server.

import { Identity } from "./signing.js";

const DATABASE = "fsm_rtc";
const STORE = "keys";

/** A browser that neither gives its storage nor refuses it is waited for so long. */
const PATIENCE_MILLISECONDS = 5000;

/**
 * The key kept under a name, or a new one, which is kept from now on. Where nothing can be kept, in a private window
 * say, it lasts as long as the page; `Identity.isKept` tells.
 * @param {string} [name]
 * @returns {Promise<Identity>}
 */
export async function keptIdentity(name = "default") {
  try {
    const identity = await stored(name);
    identity.isKept = true;
    return identity;
  } catch {
    return Identity.generate();
  }
}

/** @param {string} name */
async function stored(name) {
  const database = await opened();
  try {
    const kept = await answered(database.transaction(STORE).objectStore(STORE).get(name));
    if (kept) return await Identity.of(kept);
    const made = await Identity.generate();
    await answered(database.transaction(STORE, "readwrite").objectStore(STORE).put(made.pair, name));
    return made;
  } finally {
    database.close();
  }
}

/** @returns {Promise<IDBDatabase>} */
function opened() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return answered(request);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    setTimeout(() => reject(new DOMException("the storage doesn't answer", "TimeoutError")), PATIENCE_MILLISECONDS);
  });
}
