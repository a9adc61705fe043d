// Requests to the server's API.
import { signal } from 'preact';

// Whether the console has users, and knows none here.
export const signedOut = signal(false);

export class ApiError extends Error {
  // kind: "unavailable", "refused", "corrupt", "gone", "invalid", or "offline" if there was no answer.
  constructor(kind, message, status) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

// An answer of state "not_allowed", as an error.
export const refusal = ({ reason, remedy }) => new ApiError('refused', `${reason}. ${remedy ?? ''}`, 200);

export const get = (path, options) => request(path, { ...options, method: 'GET' });

export const post = (path, body = {}, options) => request(path, {
  ...options, method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
});

async function request(path, options) {
  let reply;
  try {
    reply = await fetch(path, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError('offline', 'The console does not answer. Check that `shopstream console` runs.', 0);
  }
  if (reply.status === 401) signedOut.value = true;
  else if (reply.ok) signedOut.value = false;  // In another tab, somebody has signed in.
  const text = await reply.text();
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiError('corrupt', `${path}: the answer (${reply.status}) is not JSON: ${text.slice(0, 200)}`, reply.status);
  }
  if (!reply.ok) throw new ApiError(value.error?.kind ?? 'corrupt', value.error?.message ?? text, reply.status);
  return value;
}

// "/api/topics" and {q: 'a b', from: null} give "/api/topics?q=a+b".
export function withQuery(path, values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== '') query.set(name, value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
