// The way in: the token of the address (…#token=…) or one that is typed becomes a cookie.

async function open(token) {
  const answer = await fetch("session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  return answer.ok;
}

async function isIn() {
  return (await fetch("runs?limit=1")).ok;
}

function refused() {
  const notice = document.getElementById("notice");
  notice.textContent = "Nothing is shown without the token. To type it, reload the page.";
  notice.hidden = false;
  return new Promise(() => {});
}

function tokenInAddress() {
  return new URLSearchParams(location.hash.slice(1)).get("token");
}

export async function signIn() {
  // Pasted into the address of a page that is open, it loads nothing by itself.
  addEventListener("hashchange", () => { if (tokenInAddress()) location.reload(); });
  const token = tokenInAddress();
  let wrong = "";
  if (token) {
    history.replaceState(null, "", location.pathname + location.search);
    if (await open(token)) return;
    wrong = "The token in the address is wrong. ";
  }
  while (!(await isIn())) {
    const typed = prompt(`${wrong}Token (of --token-env, or the one that lfg serve printed):`);
    if (typed === null) await refused();
    wrong = (await open(typed.trim())) ? "" : "That token is wrong. ";
  }
}
