// The real screen: bytes of lfg's terminal to xterm.js, and keys back. A text message is the size.
import { Terminal } from "./xterm/xterm.mjs";
import { FitAddon } from "./xterm/addon-fit.mjs";
import { ClipboardAddon } from "./xterm/addon-clipboard.mjs";
import { signIn } from "./session.js";

const NO_RUN = 1008; // the server's code for that
const RETRY = 2000; // milliseconds between attempts to connect again

const notice = document.getElementById("notice");
const terminal = new Terminal({
  allowProposedApi: true,
  cursorBlink: false,
  fontFamily: "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  fontSize: 15,
  macOptionIsMeta: true,
  scrollback: 0,
  theme: { background: "#121212" },
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.loadAddon(new ClipboardAddon());
terminal.open(document.getElementById("terminal"));
fit.fit();
terminal.focus();

const run = new URLSearchParams(location.search).get("run") ?? "";
const bytes = new TextEncoder();
let socket = null;
let isOver = false;

function say(text) {
  notice.textContent = text;
  notice.hidden = !text;
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(message);
}

function sendSize() {
  send(JSON.stringify({ columns: terminal.cols, rows: terminal.rows }));
}

function connect() {
  const url = new URL("screen/terminal", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = new URLSearchParams({ run });
  socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    isOver = false;
    say("");
    terminal.reset();
    sendSize();
  };
  socket.onmessage = (message) => terminal.write(new Uint8Array(message.data));
  socket.onclose = (event) => {
    isOver = event.code === 1000;
    if (event.code === NO_RUN) {
      say(`There is no run “${run}”.`);
    } else if (isOver) {
      say("This screen was closed. Press Enter to open it again.");
    } else {
      say("The connection is lost; trying again…");
      setTimeout(connect, RETRY);
    }
  };
}

terminal.onData((typed) => {
  if (isOver && typed === "\r") connect();
  else send(bytes.encode(typed));
});
terminal.onBinary((typed) => send(Uint8Array.from(typed, (c) => c.charCodeAt(0))));
terminal.onResize(sendSize);
new ResizeObserver(() => fit.fit()).observe(document.getElementById("terminal"));
await signIn();
connect();
