// The chat widget: one script, no dependencies. It draws in a shadow root, writes text as text only, and
// keeps session, place and unsent messages in localStorage, so that a reload loses nothing.
// <script src=".../widget.js" async data-locale="ko" data-name="..." data-title="..."></script>
(() => {
  "use strict";
  const script = document.currentScript;
  const base = new URL(".", script.src);
  const address = new URL("ws", base);
  address.protocol = base.protocol === "https:" ? "wss:" : "ws:";
  const locale = script.dataset.locale || navigator.language;
  const isKorean = /^ko\b/i.test(locale);
  const words = isKorean
    ? {
        title: "상담하기", close: "닫기", send: "보내기", write: "메시지를 입력하세요", you: "나", advisor: "상담사",
        automatic: "자동 안내", waiting: "보내는 중", failed: "보내지 못했습니다", offline: "다시 연결하는 중…",
        elsewhere: "다른 창에서 상담이 열려 있습니다. 여기에 쓰면 이어집니다.",
        unread: (n) => `읽지 않은 메시지 ${n}개`,
      }
    : {
        title: "Chat with us", close: "Close", send: "Send", write: "Write a message", you: "You", advisor: "Advisor",
        automatic: "Automatic", waiting: "sending", failed: "could not be sent", offline: "Reconnecting…",
        elsewhere: "This chat is open in other windows. Write here to go on.",
        unread: (n) => `${n} unread`,
      };
  const KEPT = 200, SHOWN = 500, PING_MS = 25000, PONG_MS = 10000, MALFORMED = 4400, REPLACED = 4409;

  // What is kept.
  const place = "turnout-chat " + base.href;
  const state = { session: "", cursor: "", items: [], shown: [] };
  try { Object.assign(state, JSON.parse(localStorage.getItem(place))); } catch { /* this page only */ }
  const save = () => {
    state.items = state.items.slice(-KEPT);
    state.shown = state.shown.slice(-SHOWN);
    try { localStorage.setItem(place, JSON.stringify(state)); } catch { /* too */ }
  };

  // What is drawn.
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const host = make("div", { "data-turnout-chat": "", lang: isKorean ? "ko" : "en" });
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { all: initial; position: fixed; right: 16px; bottom: 16px; z-index: 2147483000;
      font: 15px/1.45 system-ui, sans-serif; color: #1b1f24; color-scheme: light; }
    * { box-sizing: border-box; font: inherit; }
    button { cursor: pointer; border: 0; border-radius: 8px; padding: 10px 16px; background: #1a4fa3; color: #fff; }
    button:focus-visible, textarea:focus-visible, a:focus-visible { outline: 3px solid #f2a900; outline-offset: 2px; }
    #open { float: right; border-radius: 24px; box-shadow: 0 2px 8px #0005; }
    #panel { display: flex; flex-direction: column; width: min(360px, calc(100vw - 32px));
      height: min(520px, calc(100vh - 96px)); margin-bottom: 12px; background: #fff; border: 1px solid #c9d1d9;
      border-radius: 12px; box-shadow: 0 4px 24px #0004; overflow: hidden; }
    #panel[hidden] { display: none; }
    header { display: flex; justify-content: space-between; align-items: center; padding: 8px 8px 8px 16px;
      background: #1a4fa3; color: #fff; font-weight: 600; }
    #log { flex: 1; overflow-y: auto; padding: 12px; }
    #log > div { max-width: 85%; width: fit-content; margin: 0 0 10px; padding: 8px 12px; border-radius: 12px;
      background: #eef1f5; white-space: pre-wrap; overflow-wrap: anywhere; }
    :host(:lang(ko)) #log > div { word-break: keep-all; }
    #log > .customer { margin-left: auto; background: #d9e6fb; }
    #log small { display: block; font-size: 12px; color: #4a5560; }
    #log a { display: block; color: #1a4fa3; }
    #status { min-height: 20px; padding: 0 12px; font-size: 12px; color: #8a3b00; }
    form { display: flex; gap: 8px; padding: 8px; border-top: 1px solid #c9d1d9; }
    textarea { flex: 1; resize: none; height: 44px; padding: 8px; border: 1px solid #6b7783; border-radius: 8px; }`);
  root.adoptedStyleSheets = [sheet];
  const title = script.dataset.title || words.title;
  const log = make("div", { id: "log", role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": title, tabindex: "0" });
  const status = make("div", { id: "status", role: "status" });
  const field = make("textarea", { "aria-label": words.write, placeholder: words.write, maxlength: "4000" });
  const form = make("form", {}, field, make("button", { type: "submit" }, words.send));
  const shut = make("button", { type: "button", "aria-label": words.close }, "✕");
  const panel = make("section", { id: "panel", role: "dialog", "aria-label": title, hidden: "" },
    make("header", {}, make("span", {}, title), shut), log, status, form);
  const button = make("button", { id: "open", type: "button", "aria-expanded": "false", "aria-controls": "panel" }, title);
  root.append(panel, button);
  let unread = 0;

  const drawn = new Map();
  const draw = (item) => {
    const from = words[item.from === "customer" ? "you" : item.from] || words.advisor;
    const notes = { pending: words.waiting, failed: words.failed };
    const said = from + (notes[item.state] ? ` · ${notes[item.state]}` : "");
    const old = drawn.get(item.id);
    // What is there already stays: a screen reader reads out what is added.
    if (old) { old.firstChild.firstChild.data = said; return; }
    const note = make("small", {}, said);
    const bubble = make("div", { class: item.from, "data-id": item.id }, note, make("span", {}, item.text));
    for (const file of item.files || []) {
      if (!/^https?:\/\//.test(file.url)) continue;
      bubble.append(make("a", { href: file.url, target: "_blank", rel: "noopener noreferrer" }, file.name));
    }
    log.append(bubble);
    drawn.set(item.id, bubble);
    log.scrollTop = log.scrollHeight;
  };
  const label = () => { button.textContent = unread ? `${title} · ${words.unread(unread)}` : title; };
  const toggle = (isOpen) => {
    panel.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) { unread = 0; label(); connect(); log.scrollTop = log.scrollHeight; field.focus(); } else button.focus();
  };

  // The line.
  let socket = null, isReady = false, inHand = "", failures = 0, again = 0, asked = 0;
  const say = (frame) => socket.send(JSON.stringify(frame));
  const next = () => {
    const item = isReady && !inHand && state.items.find((one) => one.state === "pending");
    if (!item) return;
    inHand = item.id;
    say({ type: "message", id: item.id, text: item.text });
  };
  const settle = (id, how) => {
    const item = state.items.find((one) => one.id === id);
    if (item) { item.state = how; draw(item); save(); }
    inHand = "";
    next();
  };
  const show = (frame) => {
    state.cursor = frame.cursor;
    if (!state.shown.includes(frame.id)) {
      state.shown.push(frame.id);
      const item = { id: frame.id, from: frame.from, text: frame.text, files: frame.files };
      state.items.push(item);
      draw(item);
      if (panel.hidden) { unread += 1; label(); }
    }
    save();
  };
  const hear = (frame) => {
    if (frame.type === "welcome") {
      state.session = frame.session;
      save();
      isReady = true;
      failures = 0;
      status.textContent = "";
      next();
    } else if (frame.type === "message") show(frame);
    else if (frame.type === "ack") settle(frame.id, "sent");
    else if (frame.type === "refused") settle(frame.id, "failed");
    else if (frame.type === "later") setTimeout(() => { inHand = ""; next(); }, frame.after_ms);
  };
  const lost = (code) => {
    socket = null;
    isReady = false;
    inHand = "";
    clearTimeout(asked);
    // The session is over: what was said stays to be read, what comes is a new conversation.
    if (code === 4401) { state.session = ""; state.cursor = ""; save(); }
    status.textContent = code === REPLACED ? words.elsewhere : code === MALFORMED ? words.failed : words.offline;
    failures += 1;
    if (code === MALFORMED || code === REPLACED) return;
    const wait = Math.min(30000, 500 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2);
    clearTimeout(again);
    again = setTimeout(connect, code === 4429 ? Math.max(wait, 10000) : wait);
  };
  function connect() {
    clearTimeout(again);
    if (socket) return;
    const mine = (socket = new WebSocket(address));
    mine.onopen = () => say({ type: "hello", session: state.session, cursor: state.cursor, locale,
      name: script.dataset.name || "", page: location.origin + location.pathname });
    mine.onmessage = (event) => { clearTimeout(asked); if (mine === socket) hear(JSON.parse(event.data)); };
    mine.onclose = (event) => { if (mine === socket) lost(event.code); };
  }
  // A line can be dead without a word: who doesn't answer in time is given up.
  setInterval(() => {
    if (!isReady) return;
    const mine = socket;
    say({ type: "ping" });
    clearTimeout(asked);
    asked = setTimeout(() => { if (mine === socket) { mine.close(); lost(0); } }, PONG_MS);
  }, PING_MS);

  // What the customer does.
  const write = () => {
    const text = field.value.trim();
    if (!text) return;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const item = { id, from: "customer", text, state: "pending" };
    state.items.push(item);
    field.value = "";
    draw(item);
    save();
    if (socket) next(); else connect();
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); write(); });
  field.addEventListener("keydown", (event) => {
    // Enter that ends the composing of a Korean syllable sends nothing.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    write();
  });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") toggle(false); });
  button.addEventListener("click", () => toggle(panel.hidden));
  shut.addEventListener("click", () => toggle(false));
  addEventListener("online", connect);

  state.items.forEach(draw);
  const mount = () => { document.body.append(host); if (state.session) connect(); };
  if (document.body) mount(); else addEventListener("DOMContentLoaded", mount);
})();
