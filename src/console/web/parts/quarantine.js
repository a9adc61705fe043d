// Records that could not be decoded: a list, one of them in full, and the replay of those that can be now.
import { html, useEffect, useRef, useState } from 'preact';

import { get, post, withQuery } from '../lib/api.js';
import * as f from '../lib/format.js';
import { useResource } from '../lib/resource.js';
import { address, route, setQuery } from '../lib/route.js';
import { Change } from './change.js';
import { HexDump } from './hex.js';
import { Empty, Failure, Head, Loaded, Panel } from './panel.js';
import { Prose } from './prose.js';
import { State } from './state.js';
import { DataTable } from './table.js';

export const MEANINGS = {
  empty: 'The value is null or empty.',
  bad_frame: 'The value does not begin with 0x00 and a schema id.',
  unknown_schema: 'The registry had no schema of this id.',
  corrupt: 'The bytes do not fit the schema.',
  incompatible_schema: 'A value does not fit the column of the table.',
  unknown_region: 'The partition field has a value that is not allowed.',
  bad_timestamp: 'The event time is missing or implausible.',
  too_large: 'The record is larger than allowed.',
};

export function Quarantine() {
  const { cause, record } = route.value.query;
  const list = useList(cause ?? '');
  const isOpen = Boolean(record);
  const [partition, offset] = (record ?? '').split('/');
  return html`<${Head} title="Quarantine" path=${[['Quality', '/quality']]}><${Replay} cause=${cause ?? ''} done=${list.again} /><//>
    <${Job} />
    <div class=${isOpen ? 'beside' : ''}>
      <${Panel} label="Records in quarantine">
        <${List} list=${list} cause=${cause ?? ''} selected=${record} />
      <//>
      ${isOpen && html`<${Details} key=${record} partition=${partition} offset=${offset} />`}
    </div>`;
}

// {rows, next, all, exists, error, running, more(), again()}: page after page of one cause.
function useList(cause) {
  const none = { rows: [], next: null, all: null, exists: null, error: null, running: true };
  const [state, setState] = useState(none);
  const stop = useRef(null);
  const run = async (before, rows) => {
    stop.current?.abort();
    const gone = new AbortController();
    stop.current = gone;
    setState((old) => ({ ...old, running: true, error: null }));
    try {
      const answer = await get(withQuery('/api/quarantine', { cause, before, limit: 100 }), { signal: gone.signal });
      setState({ ...answer, rows: [...rows, ...answer.rows], running: false, error: null });
    } catch (error) {
      if (error.name !== 'AbortError') setState((old) => ({ ...old, running: false, error }));
    }
  };
  useEffect(() => {
    setState(none);
    run(null, []);
    return () => stop.current?.abort();
  }, [cause]);
  return { ...state, more: () => run(state.next, state.rows), again: () => run(null, []) };
}

function List({ list, cause, selected }) {
  if (list.exists === null) {
    return list.error ? html`<${Failure} error=${list.error} retry=${list.again} />`
      : html`<p class="loading" role="status">Loading quarantine…</p>`;
  }
  const causes = list.all.causes;
  if (list.exists === false || (list.rows.length === 0 && !cause && list.next === null)) {
    return html`<${Empty} title="Nothing is in quarantine">Every record that ingest has read could be decoded.<//>`;
  }
  const wide = !selected;
  const more = list.next && html`<p><button class="button" disabled=${list.running} onClick=${list.more}>${
    list.running ? 'Reading…' : list.ended === 'time' ? 'Continue from here' : 'Show more'}</button></p>`;
  return html`
    ${list.error && html`<p class="note warn" role="status">Not refreshed: ${list.error.message}</p>`}
    <div class="table-tools"><label>Cause <select value=${cause} onChange=${(e) => setQuery({ cause: e.target.value, record: '' }, { push: true })}>
        <option value="">all${list.all.rows === null ? '' : ` (${f.count(list.all.rows)})`}</option>
        ${[...new Set([...causes.map((c) => c.cause), ...(cause ? [cause] : [])])].map((name) => {
    const rows = causes.find((c) => c.cause === name)?.rows;
    return html`<option value=${name}>${name}${rows === undefined ? '' : ` (${f.count(rows)})`}</option>`;
  })}</select></label>
      ${cause && html`<span class="dim">${MEANINGS[cause] ?? ''}</span>`}</div>
    <${DataTable} caption="Records in quarantine" rows=${list.rows} rowKey=${(r) => `${r.partition}/${r.offset}`} filter=${false}
      open=${(r) => setQuery({ record: `${r.partition}/${r.offset}` }, { push: true })} selected=${selected}
      empty=${list.next ? 'None of the newest records has this cause; older ones are not read yet.' : 'No record has this cause.'} columns=${[
    { key: 'offset', title: 'partition · offset', mono: true, sortable: false, draw: (r) => html`<a class="nowrap" href=${address(['quality', 'quarantine'], { cause, record: `${r.partition}/${r.offset}` })}>p${r.partition} · ${f.count(r.offset)}</a>` },
    { key: 'cause', title: 'cause', sortable: false, draw: (r) => html`${r.cause}${r.replayed && html` <span class="tag">replayed</span>`}` },
    wide && { key: 'sent_ms', title: 'sent', mono: true, sortable: false, draw: (r) => html`<span class="nowrap">${f.instant(r.sent_ms)}</span>` },
    { key: 'quarantined_at_ms', title: 'quarantined', mono: true, sortable: false, draw: (r) => html`<span class="nowrap">${f.instant(r.quarantined_at_ms)}</span>` },
    { key: 'detail', title: 'detail', long: true, sortable: false },
    wide && { key: 'value_bytes', title: 'size', number: true, sortable: false, draw: (r) => html`<span class="nowrap">${r.value_bytes === null ? 'null' : f.bytes(r.value_bytes)}</span>` },
  ].filter(Boolean)} />${more}`;
}

function Details({ partition, offset }) {
  const answer = useResource(`/api/quarantine/${encodeURIComponent(partition)}/${encodeURIComponent(offset)}`);
  return html`<${Panel} title=${`p${partition} · ${f.count(Number(offset))}`} aside=${html`<button class="button quiet" onClick=${() => setQuery({ record: '' })}>Close</button>`}>
    <${Loaded} of=${answer} what="the record">${(value) => {
    if (value.exists === false) return html`<${Empty} title="Not in quarantine">${value.reason}. <a href=${`/lineage?partition=${partition}&offset=${offset}`}>Look where it is</a>.<//>`;
    return value.records.map((r) => html`<${Record} r=${r} several=${value.records.length > 1} />`);
  }}<//><//>`;
}

function Record({ r, several }) {
  return html`<div class="stack">
    <p><${State} is=${r.replayed ? 'up' : 'degraded'} word=${r.replayed ? 'replayed: it is in Bronze too' : r.cause} /></p>
    <p class="break">${r.detail}</p>
    <dl class="facts">${r.replayed && html`<dt>Cause</dt><dd>${r.cause}</dd>`}
      <dt>Sent</dt><dd class="mono">${f.instant(r.sent_ms)}</dd><dt>Quarantined</dt><dd class="mono">${f.instant(r.quarantined_at_ms)}</dd>
      <dt>Schema</dt><dd>${r.schema_id ?? 'none'}</dd>
      ${!r.hidden && html`<dt>Key</dt><dd class="mono">${r.key ?? r.key_hex ?? html`<span class="dim">none</span>`}</dd>`}
      <dt>Size</dt><dd>${r.value_bytes === null ? 'no value' : f.bytes(r.value_bytes)}</dd>
      ${several && html`<dt>Topic id</dt><dd class="mono">${r.topic_id}</dd>`}</dl>
    ${r.hidden && html`<p class="note">Fields are masked here, so keys, headers and bytes are hidden.</p>`}
    ${r.value !== undefined ? html`<h3>It decodes now to</h3><pre>${JSON.stringify(r.value, null, 2)}</pre>`
    : r.error && html`<p class="note">Decoding it now: <${Prose} text=${r.error} /></p>`}
    ${r.headers?.length > 0 && html`<h3>Headers</h3><dl class="facts">${r.headers.map((h) => html`<dt class="mono">${h.key ?? h.key_base64}</dt><dd class="mono">${h.value ?? h.value_base64 ?? 'null'}</dd>`)}</dl>`}
    ${r.value_hex && html`<h3>Bytes</h3><${HexDump} hex=${r.value_hex} />
      ${r.value_cut && html`<p class="dim">The first 64 KiB. <code>shopstream quarantine show ${r.partition} ${r.offset}</code> prints all.</p>`}`}
    <div class="row"><a class="button" href=${`/lineage?partition=${r.partition}&offset=${r.offset}`}>Follow it</a>
      <a class="button" href=${address(['kafka', 'topics', r.topic], { record: `${r.partition}/${r.offset}` })}>Message in Kafka</a></div></div>`;
}

const groupKey = (g) => `${g.cause} ${g.schema_id}`;

function Replay({ cause, done }) {
  const body = cause ? { cause } : {};
  return html`<${Change} label=${cause ? `Replay ${cause}` : 'Replay'} title=${cause ? `Replay the records with cause ${cause}` : 'Replay quarantine'}
    plan=${() => html`<${Plan} body=${body} />`}
    act=${() => post('/api/quarantine/replay', body)} after=${done}
    done=${(receipt) => receipt.state === 'running' ? 'The replay runs; its progress is on this page.'
    : `${f.plural(receipt.summary.replayed, 'record')} added to Bronze in ${f.plural(receipt.summary.commits, 'commit')}.`} />`;
}

// What the replay would do, from a dry run.
function Plan({ body }) {
  const [state, setState] = useState({});
  const key = JSON.stringify(body);
  useEffect(() => {
    const gone = new AbortController();
    post('/api/quarantine/replay/plan', body, { signal: gone.signal }).then((plan) => setState({ plan }),
      (error) => error.name === 'AbortError' || setState({ error }));
    return () => gone.abort();
  }, [key]);
  if (state.error) return html`<${Failure} error=${state.error} />`;
  if (!state.plan) return html`<p class="loading" role="status">The records are decoded again, without a change…</p>`;
  const plan = state.plan;
  return html`<div class="stack"><p>${plan.complete ? '' : 'Examined so far: '}${f.plural(plan.examined, 'record')}. <b>${f.count(plan.replayed)}</b> can be decoded now and would be added to Bronze, each once. ${
    plan.already_there > 0 ? `${f.count(plan.already_there)} were added before. ` : ''}${plan.awaited > 0 ? `${f.count(plan.awaited)} wait for ingest. ` : ''}Quarantine keeps them all.</p>
    ${!plan.complete && html`<p class="note warn">There are more records than a plan examines. A replay takes all of them.</p>`}
    ${plan.groups.length > 0 && html`<${DataTable} caption="What a replay would do" rows=${plan.groups} rowKey=${groupKey} filter=${false} name="plan_" columns=${[
    { key: 'cause', title: 'cause', sortable: false },
    { key: 'schema_id', title: 'schema', number: true, sortable: false, draw: (g) => g.schema_id ?? html`<span class="dim">none</span>` },
    { key: 'replayed', title: 'would add', number: true, sortable: false, draw: (g) => f.count(g.replayed) },
    { key: 'unreadable', title: 'undecodable', number: true, sortable: false, draw: (g) => f.count(g.unreadable) },
  ]} />`}</div>`;
}

// The replay that this console runs or ran last.
function Job() {
  const job = useResource('/api/quarantine/replay', 2000);
  const value = job.value;
  if (!value?.exists) return null;
  const { summary } = value;
  const what = `${f.count(summary.replayed)} added, ${f.count(summary.already_there)} there before, ${f.count(summary.examined)} examined`;
  if (value.state === 'running') {
    return html`<${Panel} title="Replay" aside=${html`<${Change} label="Cancel" title="Cancel the replay" plan=${() => 'It stops after its current commit. What it has added stays.'}
        act=${() => post('/api/quarantine/replay/cancel')} done=${() => 'The replay stops.'} />`}>
      <p role="status">Running since ${f.clock(value.started_ms)}: ${what}.</p><progress aria-label="Replay is running"></progress><//>`;
  }
  const state = { done: 'up', failed: 'down', cancelled: 'unknown' }[value.state];
  return html`<p class="note" role="status"><${State} is=${state} word=${`Replay ${value.state}`} /> at ${f.clock(value.ended_ms)}: ${what}.
    ${value.error && html`<${Prose} text=${value.error} />`}</p>`;
}
