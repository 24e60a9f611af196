/** Whether somebody is there: asked again at the moment when that changes. */

const LONGEST = 3600000; // milliseconds: a device may sleep over the moment itself
const SHORTEST = 5000;

export class Hours {
  /** @param {string} base @param {import("./signal.js").Signal<import("./types.js").Settings>} settings */
  constructor(base, settings) {
    this._url = `${base}settings`;
    this._settings = settings;
    this._timer = 0;
    this._wait();
    document.addEventListener("visibilitychange", () => this._wait());
  }

  get closed() {
    const { hours } = this._settings.value;
    return Boolean(hours && !hours.open);
  }

  /** When that changes. */
  get until() {
    const { hours } = this._settings.value;
    return (hours && hours.changes_at) || null;
  }

  _wait() {
    const changes = this.until;
    clearTimeout(this._timer);
    if (!changes) return;
    const left = Date.parse(changes) - Date.now();
    if (left < -SHORTEST) return void this._ask();
    this._timer = setTimeout(() => void this._ask(), Math.min(Math.max(left + 1000, SHORTEST), LONGEST));
  }

  async _ask() {
    try {
      const answer = await fetch(this._url, { cache: "no-cache" });
      if (answer.ok) this._settings.value = await answer.json();
    } catch { /* what was known stays */ }
    const changes = this.until;
    // The clock of this device may be ahead of the server's: then it is asked again, but not at once.
    clearTimeout(this._timer);
    if (changes) this._timer = setTimeout(() => void this._ask(), Math.min(Math.max(Date.parse(changes) - Date.now(), 30000), LONGEST));
  }
}
