// The browser's own key, kept in IndexedDB: the same id whenever this browser comes back to this server.

import { Identity } from "./signing.js";

const DATABASE = "fsm_rtc";
const STORE = "keys";

/**
 * The key kept under a name, or a new one, which is kept from now on. Where nothing can be kept, in a private window
 * say, it lasts as long as the page.
 * @param {string} [name]
 * @returns {Promise<Identity>}
 */
export async function keptIdentity(name = "default") {
  try {
    const database = await opened();
    const kept = await answered(database.transaction(STORE).objectStore(STORE).get(name));
    if (kept) return await Identity.of(kept);
    const made = await Identity.generate();
    await answered(database.transaction(STORE, "readwrite").objectStore(STORE).put(made.pair, name));
    return made;
  } catch {
    return Identity.generate();
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
  });
}
