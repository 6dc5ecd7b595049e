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

export async function signIn() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    history.replaceState(null, "", location.pathname + location.search);
    if (await open(token)) return;
  }
  while (!(await isIn())) {
    const typed = prompt("Token (of --token-env, or the one that lfg serve printed):");
    if (typed === null) await refused();
    await open(typed.trim());
  }
}
