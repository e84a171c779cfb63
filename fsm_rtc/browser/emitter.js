// What tells its events as CustomEvents.

export class Emitter extends EventTarget {
  /**
   * As of any EventTarget; every event here is a CustomEvent.
   * @param {string} type
   * @param {((event: CustomEvent) => void) | EventListenerObject | null} listener
   * @param {boolean | AddEventListenerOptions} [options]
   */
  addEventListener(type, listener, options) {
    super.addEventListener(type, /** @type {EventListenerOrEventListenerObject} */ (listener), options);
  }

  /**
   * @param {string} type
   * @param {((event: CustomEvent) => void) | EventListenerObject | null} listener
   * @param {boolean | EventListenerOptions} [options]
   */
  removeEventListener(type, listener, options) {
    super.removeEventListener(type, /** @type {EventListenerOrEventListenerObject} */ (listener), options);
  }

  /**
   * Tell it.
   * @param {string} type
   * @param {unknown} [detail]
   */
  tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
