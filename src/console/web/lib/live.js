// The live stream. One connection per browser: a shared worker holds it for all tabs, because a
// browser opens at most six connections to a server. Without shared workers (some phones) each tab
// has its own.
import { signal } from 'preact';

import { Stream } from './stream.js';

const channels = new Map();  // name -> {value: signal of {value, at}, users: number}

// "connecting", "live", or "lost".
export const connection = signal('connecting');

let send = null;

function start() {
  const receive = ({ channel, value, at, state }) => {
    if (state) connection.value = state;
    if (channel) entry(channel).value.value = { value, at };
  };
  if ('SharedWorker' in window) {
    const worker = new SharedWorker('/assets/stream_worker.js', { type: 'module', name: 'shopstream' });
    worker.port.onmessage = (event) => receive(event.data);
    worker.port.start();
    send = (wanted) => worker.port.postMessage({ wanted });
    addEventListener('pagehide', () => worker.port.postMessage({ wanted: [] }));
    addEventListener('pageshow', (event) => event.persisted && tell());
  } else {
    const stream = new Stream(receive);
    send = (wanted) => stream.want(wanted);
  }
}

function entry(name) {
  if (!channels.has(name)) channels.set(name, { value: signal(null), users: 0 });
  return channels.get(name);
}

function tell() {
  if (send === null) start();
  send([...channels].filter(([, { users }]) => users > 0).map(([name]) => name));
}

// The last {value, at} of a channel (a signal), `at` being when it arrived; null until then. Call the returned `leave` when done.
export function follow(name) {
  const channel = entry(name);
  ++channel.users;
  queueMicrotask(tell);
  return { value: channel.value, leave: () => { --channel.users; queueMicrotask(tell); } };
}
