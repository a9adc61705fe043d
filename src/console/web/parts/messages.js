// The message browser: a search runs on the server in slices of about a second, and always says which
// offsets it has looked at.
import { html, useEffect, useRef, useState } from 'preact';

import { ApiError, get, post, refusal, withQuery } from '../lib/api.js';
import * as f from '../lib/format.js';
import { useResource } from '../lib/resource.js';
import { address, route, setQuery } from '../lib/route.js';
import { Change } from './change.js';
import { HexDump } from './hex.js';
import { Failure, Loaded, Panel } from './panel.js';
import { DataTable } from './table.js';

const FIELDS = ['text', 'where', 'key', 'partitions', 'from', 'to', 'order', 'follow'];
const PAGE = 50;
const MOST_KEPT = 1000;  // Of a live tail.
const TAIL_PAUSE_MS = 800;

export function Messages({ topic }) {
  const query = route.value.query;
  const search = useSearch(topic.topic, Object.fromEntries(FIELDS.map((name) => [name, query[name] ?? ''])));
  const [partition, offset] = (query.record ?? '').split('/');
  const isOpen = query.record !== undefined && query.record !== '';
  return html`<${Panel} title="Messages" aside=${html`<${Produce} topic=${topic.topic} example=${exampleOf(search.records)} />`}>
      <${Form} key=${FIELDS.map((name) => query[name]).join('\n')} topic=${topic} query=${query} search=${search} />
      <${Timeline} frame=${search.frame} /><${Frame} search=${search} />
    <//>
    <div class=${isOpen ? 'beside' : ''}>
      <${Panel} label="Records found">
        <${DataTable} caption="Records found" rows=${search.records} rowKey=${(r) => `${r.partition}/${r.offset}`} filter=${false} phone="cards"
          open=${(r) => setQuery({ record: `${r.partition}/${r.offset}` }, { push: true })} selected=${query.record}
          empty=${search.running ? 'Searching…' : search.error || !search.frame ? 'Nothing was searched.' : 'No record in the searched offsets matches.'} columns=${[
    { key: 'offset', title: 'partition · offset', mono: true, sortable: false, draw: (r) => html`<a class="nowrap" href=${address(route.value.parts, { ...query, record: `${r.partition}/${r.offset}` })}>p${r.partition} · ${f.count(r.offset)}</a>` },
    { key: 'timestamp_ms', title: 'time', mono: true, sortable: false, draw: (r) => html`<span class="nowrap">${f.instant(r.timestamp_ms)}</span>` },
    { key: 'key', title: 'key', mono: true, sortable: false, value: (r) => r.key ?? r.key_hex },
    { key: 'value', title: 'value', mono: true, long: true, sortable: false, draw: (r) => html`<${Value} r=${r} />` },
  ]} />
        ${search.frame && !search.running && search.cursor && html`<p><button class="button" onClick=${search.more}>Continue from here</button></p>`}
      <//>
      ${isOpen && html`<${Details} key=${query.record} topic=${topic.topic} partition=${partition} offset=${offset} />`}
    </div>`;
}

// The fields of a value on at most two lines; the whole of it opens beside.
const Value = ({ r }) => r.error ? html`<span class="state down">${r.error}</span>`
  : r.value === undefined && r.value_bytes === null ? html`<span class="dim">tombstone</span>`
    : r.cut ? html`<span class="dim">${f.bytes(r.value_bytes)}, open it to see it</span>`
      : html`<span class="brief">${typeof r.value === 'object' && r.value !== null
        ? Object.entries(r.value).map(([name, value]) => html`<span class="dim">${name}</span> ${asText(value)} `) : asText(r.value)}</span>`;

const asText = (value) => typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);

// {records, frame, cursor, running, error, more(), cancel()} of the search in the page's address.
function useSearch(topic, values) {
  const [state, setState] = useState({ records: [], frame: null, cursor: null, running: false, error: null });
  const stop = useRef(null);
  const key = JSON.stringify(values);

  const run = async (begin) => {
    stop.current?.abort();
    const gone = new AbortController();
    stop.current = gone;
    let { records, cursor } = begin;
    let wanted = records.length + PAGE;
    setState((before) => ({ ...before, records, frame: cursor ? before.frame : null, running: true, cancelled: false, error: null }));
    try {
      for (;;) {
        const answer = await get(withQuery(`/api/topics/${encodeURIComponent(topic)}/search`,
          { ...values, cursor, limit: Math.min(PAGE, Math.max(1, wanted - records.length)) }), { signal: gone.signal });
        if (answer.state === 'not_allowed') throw refusal(answer);
        if (answer.exists === false) throw new ApiError('gone', `${answer.reason}. Next: \`${answer.remedy}\``, 200);
        const follows = values.follow === 'true';
        records = follows ? [...answer.records.reverse(), ...records].slice(0, MOST_KEPT) : [...records, ...answer.records];
        cursor = answer.cursor;
        const running = cursor !== null && (follows || records.length < wanted) && answer.frame.partitions.every((p) => !p.failed);
        setState({ records, frame: answer.frame, cursor, running, cancelled: false, error: null });
        if (!running) return;
        if (follows) {
          wanted = records.length + PAGE;
          await new Promise((resume) => setTimeout(resume, answer.records.length > 0 ? 100 : TAIL_PAUSE_MS));
          if (gone.signal.aborted) return;
        }
      }
    } catch (error) {
      if (error.name !== 'AbortError') setState((before) => ({ ...before, running: false, error }));
    }
  };
  useEffect(() => {
    run({ records: [], cursor: null });
    return () => stop.current?.abort();
  }, [topic, key]);
  return {
    ...state,
    more: () => run(state),
    again: () => run({ records: [], cursor: null }),
    cancel: () => { stop.current?.abort(); setState((before) => ({ ...before, running: false, cancelled: true })); },
  };
}

function Form({ topic, query, search }) {
  const [values, setValues] = useState(Object.fromEntries(FIELDS.map((name) => [name, query[name] ?? ''])));
  const set = (name) => (event) => setValues({ ...values, [name]: event.target.value });
  const submit = (event) => {
    event.preventDefault();
    const same = FIELDS.every((name) => (query[name] ?? '') === values[name]);
    same ? search.again() : setQuery({ ...values, record: '' }, { push: true });
  };
  const follow = () => setQuery({ ...values, follow: query.follow === 'true' ? '' : 'true', order: '', to: '', from: '', record: '' }, { push: true });
  const follows = query.follow === 'true';
  return html`<form onSubmit=${submit} class="stack">
    <div class="row">
      <label class="field">Text<input value=${values.text} onInput=${set('text')} placeholder="anywhere in the message" /></label>
      <label class="field">SQL condition<input class="mono" size="28" value=${values.where} onInput=${set('where')} placeholder="amount > 100 and region = 'EU'" spellcheck="false" /></label>
      <label class="field">Key<input class="mono" size="12" value=${values.key} onInput=${set('key')} /></label>
      <label class="field">Partitions<input class="mono" size="7" value=${values.partitions} onInput=${set('partitions')} placeholder=${`0-${topic.partitions.length - 1}`} /></label>
      ${!follows && html`<label class="field">From<input class="mono" size="14" value=${values.from} onInput=${set('from')} placeholder="offset or @time" /></label>
      <label class="field">To<input class="mono" size="14" value=${values.to} onInput=${set('to')} placeholder="offset or @time" /></label>
      <label class="field">Order<select value=${values.order} onChange=${set('order')}><option value="">newest first</option><option value="oldest">oldest first</option></select></label>`}
    </div>
    <div class="row"><button class="button main">Search</button>
      <button type="button" class="button" aria-pressed=${follows} onClick=${follow}>${follows ? 'Stop following' : 'Follow live'}</button>
      ${search.running && !follows && html`<button type="button" class="button" onClick=${search.cancel}>Cancel</button>`}</div>
  </form>`;
}

// Where in each partition the search has looked, on the scale from log start to end.
function Timeline({ frame }) {
  const shown = (frame?.partitions ?? []).filter((p) => p.log_start !== null && p.log_start !== undefined);
  if (shown.length === 0) return null;
  return html`<div class="stack" role="img" aria-label="Searched part of each partition">${shown.slice(0, 12).map((p) => {
    const held = Math.max(1, p.end - p.log_start);
    const at = (offset) => 100 * Math.min(1, Math.max(0, (offset - p.log_start) / held));
    return html`<div class="partition"><span>p${p.partition}</span>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="gone" width="100" height="8" />
        ${p.scanned_to > p.scanned_from && html`<rect class="done" x=${at(p.scanned_from)} width=${Math.max(0.6, at(p.scanned_to) - at(p.scanned_from))} height="8" />`}</svg>
      <span class="number">${f.count(p.end - p.log_start)}</span></div>`;
  })}</div>`;
}

const ENDS = { end: 'the searched range ends here', limit: 'the page is full', time: 'more is left' };

// The answer's frame as a sentence: what was looked at, and why it stopped.
function Frame({ search }) {
  if (search.error) return html`<${Failure} error=${search.error} retry=${search.again} />`;
  const frame = search.frame;
  if (!frame) return html`<p class="loading" role="status">${search.running ? 'Searching…' : ''}</p>`;
  const ranges = frame.partitions.filter((p) => !p.failed || p.scanned_to > p.scanned_from).map((p) =>
    p.scanned_to > p.scanned_from ? `p${p.partition} ${f.count(p.scanned_from)} to ${f.count(p.scanned_to - 1)}` : `p${p.partition} nothing`);
  const left = frame.partitions.reduce((sum, p) => sum + (p.left ?? 0), 0);
  const ended = search.running ? 'searching' : search.cancelled ? 'cancelled' : ENDS[frame.ended] ?? frame.ended;
  return html`<p role="status" class="break">${frame.matched === 0 ? 'None' : f.plural(frame.matched, 'match', 'matches')} in ${f.plural(frame.scanned, 'record')},
      offsets ${ranges.join(' · ')}; ${ended}${left > 0 ? `, ${f.plural(left, 'offset')} left` : ''}.</p>
    ${search.running && left > 0 && html`<progress max=${left + frame.scanned} value=${frame.scanned} aria-label="Searched"></progress>`}
    ${frame.undecoded > 0 && html`<p class="note warn">${f.plural(frame.undecoded, 'record')} could not be decoded, so the condition was not applied to them.</p>`}
    ${frame.registry_unknown && html`<p class="note warn">The registry does not answer: ${frame.registry_unknown}</p>`}
    ${frame.unfit && html`<p class="note warn">${frame.unfit}</p>`}
    ${frame.partitions.filter((p) => p.failed).map((p) => html`<p class="note bad">Partition ${p.partition} cannot be read: ${p.failed}</p>`)}
    ${frame.partitions.filter((p) => p.removed > 0).map((p) => html`<p class="note warn">Partition ${p.partition}: Kafka removed ${f.plural(p.removed, 'offset')} before they were searched.</p>`)}`;
}

function Details({ topic, partition, offset }) {
  const answer = useResource(`/api/topics/${encodeURIComponent(topic)}/records/${partition}/${offset}`);
  return html`<${Panel} title=${`p${partition} · ${f.count(Number(offset))}`} aside=${html`<button class="button quiet" onClick=${() => setQuery({ record: '' })}>Close</button>`}>
    <${Loaded} of=${answer} what="the record">${(value) => {
    if (value.exists === false) return html`<p class="note">${value.reason}</p>`;
    const r = value.record;
    return html`<div class="stack">
      <dl class="facts"><dt>Time</dt><dd class="mono">${f.instant(r.timestamp_ms)}</dd>
        <dt>Key</dt><dd class="mono">${r.key ?? r.key_hex ?? html`<span class="dim">none</span>`}</dd>
        <dt>Schema</dt><dd>${r.schema_id ?? 'none'}</dd><dt>Size</dt><dd>${f.bytes(r.value_bytes)}</dd></dl>
      ${r.hidden && html`<p class="note">Fields are masked here, so keys, headers and bytes are hidden.</p>`}
      ${r.error && html`<p class="note bad">${r.error}</p>`}
      ${r.value !== undefined && html`<h3>Value</h3><pre>${JSON.stringify(r.value, null, 2)}</pre>`}
      ${r.headers?.length > 0 && html`<h3>Headers</h3><dl class="facts">${r.headers.map((h) => html`<dt class="mono">${h.name}</dt><dd class="mono">${h.value ?? h.value_hex ?? 'null'}</dd>`)}</dl>`}
      ${r.value_hex && html`<details><summary>Bytes</summary><${HexDump} hex=${r.value_hex} /></details>`}
      ${value.schema && html`<details><summary>Schema</summary><pre>${pretty(value.schema)}</pre></details>`}
      <div class="row"><a class="button" href=${`/lineage?partition=${partition}&offset=${offset}`}>Follow into the lake</a>
        <${Change} label="Send again" title="Send this message again"
          plan=${() => `Kafka gets a copy of partition ${partition}, offset ${offset}, with the same bytes and headers, at the end of the topic. Silver counts it as a duplicate.`}
          act=${() => post(`/api/topics/${encodeURIComponent(topic)}/records`, { resend: { partition: Number(partition), offset: Number(offset) } })}
          done=${(receipt) => `Written to partition ${receipt.partition} at offset ${receipt.offset}.`} /></div></div>`;
  }}<//><//>`;
}

const pretty = (text) => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

const FORMS = { value: 'JSON, encoded with the newest schema', value_text: 'text, as it is (broken on purpose)', value_hex: 'bytes in hexadecimal digits' };

// A record whose value may serve as the first text of a new one.
const exampleOf = (records) => records.find((r) => typeof r.value === 'object' && r.value !== null && !r.hidden && !r.cut);

function Produce({ topic, example }) {
  const [form, setForm] = useState('value');
  const [typedKey, setTypedKey] = useState(null);
  const [typed, setTyped] = useState(null);
  const first = useRef(undefined);  // It stays while more are found.
  first.current ??= example;
  const key = typedKey ?? (form === 'value' ? first.current?.key ?? '' : '');
  const text = typed ?? (form === 'value' ? JSON.stringify(first.current?.value ?? {}, null, 2) : '');
  const body = () => ({ ...(key && { key }), [form]: form === 'value' ? JSON.parse(text) : text });
  return html`<${Change} label="Produce a message" title=${`Produce a message to ${topic}`}
    plan=${() => html`<div class="stack">
      <label class="field">Key<input class="mono" value=${key} onInput=${(e) => setTypedKey(e.target.value)} /></label>
      <label class="field">Value<select value=${form} onChange=${(e) => { setForm(e.target.value); setTyped(null); }}>${Object.entries(FORMS).map(([name, title]) => html`<option value=${name}>${title}</option>`)}</select></label>
      <textarea rows="12" spellcheck="false" aria-label="Value" value=${text} onInput=${(e) => setTyped(e.target.value)}></textarea>
      ${form === 'value' && first.current && html`<p class="dim">It begins as p${first.current.partition} · ${f.count(first.current.offset)}. Change its id too, if it has one.</p>`}</div>`}
    act=${() => post(`/api/topics/${encodeURIComponent(topic)}/records`, body())}
    done=${(receipt) => `Written to partition ${receipt.partition} at offset ${receipt.offset}.`} />`;
}
