// What the page asks its server.

/** A request that was refused, with the status and the reason in one line. */
export class Refusal extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

/** What the server answers to a question. */
export function get(path, query = {}) {
  const text = new URLSearchParams(query).toString();
  return answered(text ? `${path}?${text}` : path, {});
}

/** What the server answers to a wish. */
export function post(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return answered(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

async function answered(address, options) {
  let response;
  try {
    response = await fetch(address, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "nanowarm gui does not answer; start it again in a terminal");
  }
  const content = await response.json();
  if (!response.ok) throw new Refusal(response.status, content.error);
  return content;
}
