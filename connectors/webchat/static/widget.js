// A plain client of the web chat protocol: one script tag puts a chat in the corner of a page.
(() => {
  "use strict";

  const script = document.currentScript;
  const base = new URL(".", script.src);
  const stored = `santral:${base.href}`;

  const STYLE = `
    :host { all: initial; position: fixed; inset: auto 1.25rem 1.25rem auto; z-index: 2147483000;
      font: 15px/1.45 system-ui, sans-serif; color-scheme: light dark;
      --accent: light-dark(#0b6b5d, #4cc4ae); --on-accent: light-dark(#fff, #06231e);
      --paper: light-dark(#fff, #1e2324); --ink: light-dark(#1d2526, #e8ecea); --soft: light-dark(#eef1ee, #2a3132);
      --faint: light-dark(#5c686a, #9fabac); --line: light-dark(#d9dfdb, #384143); }
    * { box-sizing: border-box; }
    button { font: inherit; color: inherit; cursor: pointer; border: 0; background: none; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    .open { display: grid; place-items: center; width: 3.5rem; height: 3.5rem; margin-inline-start: auto;
      border-radius: 50%; background: var(--accent); color: var(--on-accent); box-shadow: 0 4px 18px #0004; }
    .open svg { width: 1.6rem; height: 1.6rem; }
    .panel { display: flex; flex-direction: column; width: min(23rem, calc(100vw - 2.5rem));
      height: min(34rem, calc(100dvh - 2.5rem)); overflow: hidden; border-radius: 1rem; background: var(--paper);
      color: var(--ink); border: 1px solid var(--line); box-shadow: 0 12px 40px #0003; }
    [hidden] { display: none !important; }
    header { display: flex; align-items: center; gap: 0.5rem; padding: 0.75rem 1rem;
      background: var(--accent); color: var(--on-accent); }
    h2 { flex: 1; margin: 0; font-size: 1rem; font-weight: 600; }
    header button { padding: 0.25rem 0.5rem; border-radius: 0.4rem; }
    header button:focus-visible { outline-color: currentColor; }
    .status { margin: 0; padding: 0.35rem 1rem; font-size: 0.8rem; background: var(--soft); color: var(--faint); }
    .greeting { margin: 0; padding: 1rem 1rem 0; }
    .log { flex: 1; margin: 0; padding: 1rem; overflow-y: auto; overscroll-behavior: contain; list-style: none;
      display: flex; flex-direction: column; gap: 0.6rem; }
    .log li { max-width: 85%; align-self: start; }
    .log li.mine { align-self: end; text-align: end; }
    .log li.event { align-self: center; font-size: 0.8rem; color: var(--faint); }
    .text { display: inline-block; padding: 0.5rem 0.8rem; border-radius: 1rem; text-align: start;
      white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft); border-end-start-radius: 0.3rem; }
    .mine .text { background: var(--accent); color: var(--on-accent); border-radius: 1rem;
      border-end-end-radius: 0.3rem; }
    .deleted .text { font-style: italic; opacity: 0.7; }
    .file, .choice { display: inline-block; margin: 0.25rem 0.25rem 0 0; padding: 0.35rem 0.7rem; text-align: start;
      overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: 0.6rem; }
    .choice { border-color: var(--accent); border-radius: 1rem; }
    .meta { display: block; margin: 0.15rem 0.3rem 0; font-size: 0.75rem; color: var(--faint); }
    form { display: flex; align-items: end; gap: 0.25rem; padding: 0.6rem; border-top: 1px solid var(--line); }
    textarea { flex: 1; min-height: 2.5rem; max-height: 8rem; padding: 0.5rem 0.7rem; resize: none; font: inherit;
      field-sizing: content; color: inherit; background: var(--soft); border: 1px solid transparent;
      border-radius: 0.8rem; }
    form button { display: grid; place-items: center; width: 2.5rem; height: 2.5rem; border-radius: 0.8rem; }
    form button[type=submit] { background: var(--accent); color: var(--on-accent); }
    form svg { width: 1.2rem; height: 1.2rem; }
    .name { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  `;
  const ICONS = {
    chat: "M4 4h16a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H9l-5 4v-4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z",
    clip: "M8 12.5 14.5 6a3 3 0 0 1 4.3 4.3l-8.5 8.4a5 5 0 0 1-7-7L11.500 3.5",
    send: "M4 12 20 4l-5 16-3.500-6.500z",
  };

  /** Makes an element; strings among the children become text, never markup. */
  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    const attributes = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2,
      "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
    for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  function iconButton(name, label, type = "button", className = "") {
    return make("button", { type, className, title: label }, icon(name), make("span", { className: "name" }, label));
  }

  /** localStorage, which a browser may refuse. */
  const memory = {
    get token() { try { return localStorage.getItem(stored); } catch { return null; } },
    set token(value) { try { localStorage.setItem(stored, value); } catch { /* this page only */ } },
  };

  /** Speaks the protocol: connects, comes back after its cursor, and sends again what was not acknowledged. */
  class Client extends EventTarget {
    #socket = null;
    #token = memory.token;
    #cursor = null;
    #pause = 500;
    #pending = new Map();
    #ready = false;

    connect() {
      const url = new URL("ws", base);
      url.protocol = url.protocol.replace("http", "ws");
      this.#socket = new WebSocket(url);
      this.#socket.onopen = () => this.#send({ type: "hello", token: this.#token, cursor: this.#cursor });
      this.#socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
      this.#socket.onclose = () => this.#lost();
    }

    say(text, attachments = []) {
      const frame = { type: "message", client_id: newId(), text, attachments };
      this.#pending.set(frame.client_id, frame);
      this.send(frame);
      return frame.client_id;
    }

    send(frame) {
      if (this.#ready) this.#send(frame);
    }

    async upload(file) {
      const headers = { Authorization: `Bearer ${this.#token}`, "X-Filename": encodeURIComponent(file.name) };
      const answer = await fetch(new URL("attachments", base), { method: "POST", headers, body: file });
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.detail);
      return body;
    }

    async download(id) {
      const headers = { Authorization: `Bearer ${this.#token}` };
      const answer = await fetch(new URL(`attachments/${encodeURIComponent(id)}`, base), { headers });
      if (!answer.ok) throw new Error(answer.statusText);
      return answer.blob();
    }

    #send(frame) {
      this.#socket.send(JSON.stringify(frame));
    }

    #lost() {
      this.#ready = false;
      this.#tell("offline");
      setTimeout(() => this.connect(), this.#pause * (0.5 + Math.random()));
      this.#pause = Math.min(this.#pause * 2, 30000);
    }

    #take(frame) {
      this.#cursor = frame.cursor ?? this.#cursor;
      if (frame.type === "welcome") this.#welcomed(frame);
      if (frame.type === "ack") this.#pending.delete(frame.client_id);
      if (frame.type === "error") this.#refused(frame);
      this.#tell(frame.type, frame);
    }

    #welcomed(frame) {
      this.#token = memory.token = frame.token;
      this.#pause = 500;
      this.#ready = true;
      for (const pending of this.#pending.values()) this.#send(pending);
    }

    #refused({ code, client_id }) {
      const pending = this.#pending.get(client_id);
      if (!pending) return;
      if (code === "rate_limited" || code === "unavailable") setTimeout(() => this.send(pending), 2000);
      else this.#pending.delete(client_id);
    }

    #tell(type, detail) {
      this.dispatchEvent(new CustomEvent(type, { detail }));
    }
  }

  // crypto.randomUUID exists on secure pages only.
  function newId() {
    return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** The window in the corner. */
  class Panel {
    #client = new Client();
    #items = new Map();
    #clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

    constructor(open) {
      this.#build();
      this.#listen();
      this.#show(open);
      this.#introduce();
      this.#client.connect();
    }

    #build() {
      const host = make("div");
      const shadow = host.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      shadow.adoptedStyleSheets = [sheet];
      this.opener = iconButton("chat", "Open the chat", "button", "open");
      this.closer = make("button", { type: "button", ariaLabel: "Close the chat" }, "✕");
      this.status = make("p", { className: "status", role: "status" }, "Connecting…");
      this.log = make("ol", { className: "log", role: "log", ariaLabel: "Messages", tabIndex: 0 });
      this.input = make("textarea", { rows: 1, maxLength: 10000, placeholder: "Write a message…", ariaLabel: "Message" });
      this.input.dir = "auto";
      this.file = make("input", { type: "file", hidden: true });
      this.clip = iconButton("clip", "Attach a file");
      this.form = make("form", {}, this.file, this.clip, this.input, iconButton("send", "Send", "submit"));
      this.title = make("h2", {}, "Chat with us");
      this.greeting = make("p", { className: "greeting", hidden: true, dir: "auto" });
      const header = make("header", {}, this.title, this.closer);
      this.panel = make("section", { className: "panel", ariaLabel: "Chat" }, header, this.status, this.greeting,
        this.log, this.form);
      shadow.append(this.panel, this.opener);
      document.body.append(host);
    }

    async #introduce() {
      const { name, greeting } = await (await fetch(new URL("settings", base))).json();
      this.title.textContent = name;
      this.greeting.textContent = greeting;
      this.greeting.hidden = !greeting;
    }

    #listen() {
      this.opener.onclick = () => { this.#show(true); this.input.focus(); };
      this.closer.onclick = () => { this.#show(false); this.opener.focus(); };
      this.panel.onkeydown = (event) => { if (event.key === "Escape") this.closer.click(); };
      this.form.onsubmit = (event) => { event.preventDefault(); this.#say(); };
      this.input.onkeydown = (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        this.#say();
      };
      this.clip.onclick = () => this.file.click();
      this.file.onchange = () => this.#attach();
      const on = (type, act) => this.#client.addEventListener(type, ({ detail }) => act(detail));
      on("welcome", (frame) => this.#welcome(frame));
      on("message", ({ message }) => { this.#put(message); this.#read(message); });
      on("ack", ({ message }) => this.#mark(message.client_id, this.#clock.format(new Date(message.received_at))));
      on("error", (frame) => this.#refused(frame));
      on("offline", () => this.#tell("No connection; trying again…"));
    }

    #show(open) {
      this.panel.hidden = !open;
      this.opener.hidden = open;
      if (open) this.#toEnd();
    }

    #tell(text) {
      this.status.textContent = text;
      this.status.hidden = !text;
    }

    #welcome({ messages, reload }) {
      this.#tell("");
      if (reload) { this.log.replaceChildren(); this.#items.clear(); }
      messages.forEach((message) => this.#put(message));
      this.#read(messages.findLast(({ direction }) => direction === "outbound"));
    }

    #read(message) {
      const seen = message?.direction === "outbound" && !this.panel.hidden && document.visibilityState === "visible";
      if (seen) this.#client.send({ type: "read", message_id: message.id });
    }

    #say(text = this.input.value, attachments = []) {
      if (!text.trim() && !attachments.length) return;
      const client_id = this.#client.say(text, attachments.map(({ id }) => id));
      this.#put({ client_id, text, attachments, parts: [], direction: "inbound", kind: "message", author: {} });
      this.#mark(client_id, "Sending…");
      this.input.value = "";
    }

    async #attach() {
      const [file] = this.file.files;
      this.file.value = "";
      if (!file) return;
      this.#tell(`Uploading ${file.name}…`);
      try {
        const uploaded = await this.#client.upload(file);
        this.#tell("");
        this.#say(this.input.value, [{ ...uploaded, state: "ready" }]);
      } catch (error) {
        this.#tell(`${file.name} could not be uploaded: ${error.message}`);
      }
    }

    /** Shows a message, in the place of an earlier state of it. */
    #put(message) {
      const item = this.#render(message);
      const earlier = this.#items.get(message.id) ?? this.#items.get(message.client_id);
      const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
      if (earlier) earlier.replaceWith(item);
      else this.log.append(item);
      for (const key of [message.id, message.client_id]) if (key) this.#items.set(key, item);
      if (atEnd || message.direction === "inbound") this.#toEnd();
    }

    #render(message) {
      const mine = message.direction === "inbound";
      const item = make("li", { className: message.kind === "event" ? "event" : mine ? "mine" : "theirs" });
      const text = message.deleted ? "This message was deleted" : message.text;
      item.classList.toggle("deleted", Boolean(message.deleted));
      if (text) item.append(make("span", { className: "text", dir: "auto" }, text));
      for (const file of message.attachments) item.append(this.#file(file));
      for (const part of message.parts) for (const button of part.data?.buttons ?? []) item.append(this.#choice(message, button));
      item.append(make("span", { className: "meta" }, this.#meta(message, mine)));
      return item;
    }

    #meta(message, mine) {
      const at = message.sent_at ?? message.received_at;
      const parts = [mine ? null : message.author.name, at && this.#clock.format(new Date(at)), message.edited && "edited"];
      return parts.filter(Boolean).join(" · ");
    }

    #file(file) {
      const button = make("button", { type: "button", className: "file" }, `📎 ${file.filename}`);
      button.onclick = async () => {
        const url = URL.createObjectURL(await this.#client.download(file.id));
        make("a", { href: url, download: file.filename }).click();
        setTimeout(() => URL.revokeObjectURL(url), 60000);
      };
      return button;
    }

    #choice(message, { label, value }) {
      const button = make("button", { type: "button", className: "choice" }, label);
      button.onclick = () => this.#client.send({ type: "choose", message_id: message.id, value });
      return button;
    }

    #refused({ code, detail, client_id }) {
      if (!client_id) return;
      const again = code === "rate_limited" || code === "unavailable";
      this.#mark(client_id, again ? "Sending again…" : `Not sent: ${detail}`);
    }

    #mark(client_id, text) {
      const meta = this.#items.get(client_id)?.querySelector(".meta");
      if (meta) meta.textContent = text;
    }

    #toEnd() {
      this.log.scrollTop = this.log.scrollHeight;
    }
  }

  new Panel("open" in script.dataset);
})();
