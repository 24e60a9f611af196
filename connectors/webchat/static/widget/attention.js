/** Tells a visitor who looks elsewhere: a short tone, and a number in the title of the tab. */

export class Attention {
  constructor() {
    this._touched = false;
    /** What the title was, and what was made of it: whatever else stands there is the host page's, and stays. */
    this._title = { own: "", shown: "" };
    /** @type {AudioContext | null} */
    this._audio = null;
  }

  /** The visitor did something here: from now on there may be a sound. */
  touched() {
    this._touched = true;
  }

  sound() {
    if (!this._touched || !window.AudioContext) return;
    const audio = this._audio = this._audio || new AudioContext();
    void audio.resume();
    const at = audio.currentTime;
    const volume = audio.createGain();
    volume.connect(audio.destination);
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.15, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.5);
    for (const [frequency, delay] of [[660, 0], [880, 0.12]]) {
      const tone = audio.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(volume);
      tone.start(at + delay);
      tone.stop(at + 0.5);
    }
  }

  /** @param {number} unread */
  count(unread) {
    const { own, shown } = this._title;
    const title = shown && document.title === shown ? own : document.title;
    const wanted = unread ? `(${unread}) ${title}` : title;
    this._title = unread ? { own: title, shown: wanted } : { own: "", shown: "" };
    if (document.title !== wanted) document.title = wanted;
  }
}
