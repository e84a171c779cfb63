// Why a room can't be joined.

/** The room could not be joined from this page, and could not be by trying again; `code` says why in a word. */
export class JoinError extends Error {
  /**
   * @param {string} code - "insecure_context", "bad_address", "bad_name", "bad_options", "left", or one of the protocol's errors
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The server does not let this side in, and would say the same again. */
export class RefusedError extends JoinError {}

/**
 * What keeps this page from joining, in words.
 * @param {unknown} error
 */
export function joinError(error) {
  if (error instanceof JoinError) return error;
  if (globalThis.crypto?.subtle === undefined) {
    return new JoinError("insecure_context", "browsers sign, and give camera and microphone, on pages of https: alone");
  }
  return new JoinError("bad_options", `this side can't introduce itself: ${error}`);
}
