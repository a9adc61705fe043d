// One server-sent event stream for a changing set of channels.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15000;
const SILENCE_MS = 25000;  // The server sends a heartbeat every 10 s.

export class Stream {
  // receive({channel, value, at}) for each event, and receive({state}) when the connection changes.
  constructor(receive) {
    this.receive = receive;
    this.wanted = '';
    this.lastId = '';
    this.source = null;
    this.pause = FIRST_PAUSE_MS;
    this.timer = null;
    this.silence = null;
  }

  want(names) {
    const wanted = [...new Set(names)].sort().join(',');
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    this.lastId = '';  // Other channels have other newest events.
    this.pause = FIRST_PAUSE_MS;
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    this.close();
    if (!this.wanted) return;
    const resume = this.lastId ? `&last_event_id=${encodeURIComponent(this.lastId)}` : '';
    const source = new EventSource(`/api/stream?channels=${encodeURIComponent(this.wanted)}${resume}`);
    this.source = source;
    source.onopen = () => this.heard('live');
    source.onerror = () => this.again();
    source.addEventListener('heartbeat', () => this.heard('live'));
    for (const channel of this.wanted.split(',')) {
      source.addEventListener(channel, (event) => {
        this.heard('live');
        this.pause = FIRST_PAUSE_MS;
        this.lastId = event.lastEventId;
        this.receive({ channel, value: JSON.parse(event.data), at: Date.now() });
      });
    }
    this.heard(null);
  }

  heard(state) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.again(), SILENCE_MS);
    if (state) this.receive({ state });
  }

  // Opens it again after a pause that doubles, with jitter so that many browsers do not return at
  // the same moment.
  again() {
    this.close();
    this.receive({ state: 'lost' });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.pause * (0.5 + Math.random()));
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
  }

  close() {
    clearTimeout(this.silence);
    this.source?.close();
    this.source = null;
  }
}
