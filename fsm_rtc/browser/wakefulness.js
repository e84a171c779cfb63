// Whether this page ran all the time. A laptop's lid, a stopped process or a frozen tab lets it stand still: what was
// not heard meanwhile proves nothing against the others, and sockets may be dead that look alive.

const LOOK_MILLISECONDS = 1000;
const LATE_SECONDS = 5;
const HIDDEN_LATE_SECONDS = 90; // browsers wake the timers of a hidden page once a minute
const JUST_SECONDS = 10;

export class Wakefulness {
  #woke;
  #timer = 0;
  #looked = [0, 0];
  #wokeAt = -Infinity;

  /** @param {() => void} woke - called when the page goes on after it stood still */
  constructor(woke) {
    this.#woke = woke;
  }

  begin() {
    this.#looked = clocks();
    this.#timer = setInterval(() => this.look(), LOOK_MILLISECONDS);
  }

  end() {
    clearInterval(this.#timer);
  }

  /** Whether the page stood still a short while ago. */
  get hasJustWoken() {
    this.look();
    return performance.now() - this.#wokeAt < JUST_SECONDS * 1000;
  }

  /** See what the clocks say: some don't count a host's sleep, others jump when they are set. */
  look() {
    const now = clocks();
    const stood = Math.max(...now.map((time, clock) => time - (this.#looked[clock] ?? 0))) / 1000;
    this.#looked = now;
    if (stood - LOOK_MILLISECONDS / 1000 < (globalThis.document?.hidden ? HIDDEN_LATE_SECONDS : LATE_SECONDS)) return;
    this.#wokeAt = performance.now();
    this.#woke();
  }
}

function clocks() {
  return [performance.now(), Date.now()];
}
