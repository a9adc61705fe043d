// Holds the browser's one live stream, and spreads it to the tabs. See lib/live.js.
import { Stream } from './lib/stream.js';

const tabs = new Map();  // port -> the names of the channels that it wants
const newest = new Map();  // channel -> its last message, for a tab that comes later
let state = 'connecting';

const stream = new Stream((message) => {
  if (message.state) {
    if (message.state === state) return;
    state = message.state;
    for (const port of tabs.keys()) port.postMessage({ state });
    return;
  }
  newest.set(message.channel, message);
  for (const [port, wanted] of tabs) if (wanted.includes(message.channel)) port.postMessage(message);
});

self.onconnect = (event) => {
  const port = event.ports[0];
  tabs.set(port, []);
  port.onmessage = ({ data }) => {
    const before = tabs.get(port) ?? [];
    if (data.wanted.length === 0) tabs.delete(port);
    else tabs.set(port, data.wanted);
    const all = [...new Set([...tabs.values()].flat())];
    for (const name of newest.keys()) if (!all.includes(name)) newest.delete(name);
    for (const channel of data.wanted) {
      if (!before.includes(channel) && newest.has(channel)) port.postMessage(newest.get(channel));
    }
    stream.want(all);
  };
  port.postMessage({ state });
};
