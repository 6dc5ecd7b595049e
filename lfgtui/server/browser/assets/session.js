// The way in: the token of the address (…#token=…) or one that is typed becomes a cookie.

async function open(token) {
  const answer = await fetch("session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  return answer.ok;
}

async function isIn() {
  return (await fetch("runs?limit=1")).ok;
}

export async function signIn() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    history.replaceState(null, "", location.pathname + location.search);
    if (await open(token)) return;
  }
  while (!(await isIn())) {
    const typed = prompt("The token of lfg serve:");
    if (typed) await open(typed.trim());
  }
}
