// SQL over the lake's tables: result, chart, download; the link has the statement and the versions.
import { html, useEffect, useMemo, useRef, useState } from 'preact';

import { post, withQuery } from '../lib/api.js';
import * as f from '../lib/format.js';
import { useNow, useResource } from '../lib/resource.js';
import { address, route, setQuery } from '../lib/route.js';
import { StackedBars } from '../parts/bars.js';
import { Failure, Head, Panel } from '../parts/panel.js';
import { SqlEditor } from '../parts/sql_editor.js';

const FIRST = 'SELECT region, count(*) AS orders, sum(amount_usd) AS revenue_usd\nFROM silver_events\nGROUP BY region\nORDER BY region';
const KEPT = 30;
const SHOWN_ROWS = 500;
const BARS = 60;

const readHistory = () => { try { return JSON.parse(localStorage.getItem('sql-history')) ?? []; } catch { return []; } };
const readVersions = (text) => { try { return text ? JSON.parse(text) : null; } catch { return null; } };

export function Page() {
  const query = route.value.query;
  const [text, setText] = useState(query.sql ?? FIRST);
  const [state, setState] = useState({});
  const [history, setHistory] = useState(readHistory);
  const running = useRef(null);
  const schema = useResource('/api/sql/schema');
  const tables = useMemo(() => Object.fromEntries((schema.value?.tables ?? []).map((t) => [t.name, (t.columns ?? []).map((c) => c.name)])), [schema.value]);
  const versions = readVersions(query.versions);

  const run = async (sql = text) => {
    if (running.current || !sql.trim()) return;
    const id = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
    running.current = id;
    setQuery({ sql }, { push: true });
    const kept = [sql, ...readHistory().filter((old) => old !== sql)].slice(0, KEPT);
    localStorage.setItem('sql-history', JSON.stringify(kept));
    setHistory(kept);
    setState({ since: Date.now() });
    try {
      setState({ sql, result: await post('/api/sql', { id, sql, versions, limit: 10000 }) });
    } catch (error) {
      setState({ error });
    } finally {
      running.current = null;
    }
  };
  const cancel = () => running.current && post(`/api/sql/${running.current}/cancel`).catch(() => {});
  // A link with a statement shows its result.
  useEffect(() => { if (query.sql) run(query.sql); return cancel; }, []);

  const pin = (result) => setQuery({ versions: JSON.stringify(Object.fromEntries(result.tables.map((t) => [t.name, t.version]))) });
  return html`<${Head} title="SQL" />
    <${Panel} label="Statement"><div class="stack">
      <${SqlEditor} value=${text} tables=${tables} onChange=${setText} onRun=${() => run()} />
      <div class="row">
        ${state.since ? html`<button class="button danger" onClick=${cancel}>Cancel</button><${Running} since=${state.since} />`
    : html`<button class="button main" onClick=${() => run()}>Run</button><span class="dim">Ctrl + Enter</span>`}
        <a class="button" href=${withQuery('/api/sql/download', { sql: text, versions: query.versions })} download="result.csv">Download CSV</a>
        <label>Earlier <select value="" onChange=${(e) => { if (e.target.value) setText(history[Number(e.target.value)]); }}>
          <option value="">${history.length === 0 ? 'none yet' : f.plural(history.length, 'statement')}</option>
          ${history.map((old, i) => html`<option value=${String(i)}>${old.replace(/\s+/g, ' ').slice(0, 80)}</option>`)}</select></label>
        ${versions && html`<span class="tag">pinned: ${Object.entries(versions).map(([name, v]) => `${name} at ${v}`).join(', ')}</span>
          <button class="button quiet" onClick=${() => setQuery({ versions: '' })}>Read the newest</button>`}
      </div></div><//>
    ${state.error && html`<${Failure} error=${state.error} />`}
    ${state.result && html`<${Result} result=${state.result} pinned=${versions} pin=${() => pin(state.result)} />`}
    <${Tables} schema=${schema.value} pick=${(name) => setText(`SELECT * FROM ${name} LIMIT 100`)} />`;
}

const Running = ({ since }) => html`<span class="dim" role="status">running for ${f.duration((useNow(250) - since) / 1000)}</span>`;

function Result({ result, pinned, pin }) {
  const [limit, setLimit] = useState(SHOWN_ROWS);
  const [view, setView] = useState('table');
  const { columns, rows } = result;
  const chart = chartOf(result);
  const summary = `${f.plural(rows.length, 'row')}${result.truncated ? `, cut at the limit of ${result.truncated}` : ''} · ${f.duration(result.elapsed_ms / 1000)} · ${f.plural(result.rows_scanned, 'row')} scanned`;
  return html`<${Panel} title="Result" aside=${html`<span class="dim" role="status">${summary}</span>`}>
    ${result.truncated && html`<p class="note warn">The result has more rows. Download CSV has all of them.</p>`}
    <div class="row">
      ${chart && html`<span class="tabs">${['table', 'chart'].map((name) => html`<button class="button ${view === name ? '' : 'quiet'}" aria-pressed=${view === name} onClick=${() => setView(name)}>${name}</button>`)}</span>`}
      <span class="dim">${result.tables.map((t) => html`<a href=${address(['lake', t.table], { version: t.version })}>${t.name} at version ${f.count(t.version)}</a>${t.pass ? `, pass ${f.count(t.pass)}` : ''} `)}</span>
      ${result.tables.length > 0 && !pinned && html`<button class="button quiet" onClick=${pin}>Pin these versions in the link</button>`}
    </div>
    ${view === 'chart' && chart ? html`<${StackedBars} title=${chart.title} unit=${chart.unit} keys=${chart.keys} bars=${chart.bars} />`
    : html`<div class="table-scroll" tabindex="0" role="region" aria-label="Rows of the result"><table>
        <thead><tr>${columns.map((c) => html`<th scope="col" class=${c.numeric ? 'number' : ''} title=${c.type}>${c.name}</th>`)}</tr></thead>
        <tbody>${rows.slice(0, limit).map((row) => html`<tr>${row.map((value, i) => html`<td class=${columns[i].numeric ? 'number mono' : 'mono'}>${
      value === null ? html`<span class="dim">null</span>` : typeof value === 'object' ? JSON.stringify(value) : String(value)}</td>`)}</tr>`)}</tbody></table></div>
      ${rows.length === 0 && html`<p class="loading">The statement has no rows in the versions that it read.</p>`}
      ${rows.length > limit && html`<button class="button" onClick=${() => setLimit(limit + SHOWN_ROWS)}>Show more of ${f.count(rows.length)}</button>`}`}<//>`;
}

// Bars of the last numeric column by the first other one; a second other column stacks them.
function chartOf({ columns, rows }) {
  const value = columns.findLastIndex((c) => c.numeric);
  const labels = columns.map((c, i) => i).filter((i) => !columns[i].numeric);
  if (value < 0 || labels.length === 0 || rows.length < 2 || rows.some((row) => row[value] === null)) return null;
  const by = labels[0];
  const stack = labels[1];
  const bars = new Map();
  const names = [];
  for (const row of rows) {
    const label = String(row[by]);
    const name = stack === undefined ? columns[value].name : String(row[stack]);
    if (!names.includes(name)) names.push(name);
    if (!bars.has(label)) bars.set(label, new Map());
    bars.get(label).set(name, (bars.get(label).get(name) ?? 0) + Number(row[value]));
  }
  if (names.length > 4 || bars.size > BARS) return null;
  const classes = ['us', 'eu', 'asia', 'other'];
  return { title: `${columns[value].name} by ${columns[by].name}`, unit: columns[value].name, keys: names.map((name, i) => ({ name, class: classes[i] })),
    bars: [...bars].map(([label, values]) => ({ label: label.replace(/T00:00:00.*/, '').slice(0, 16), values: names.map((name) => values.get(name) ?? 0) })) };
}

const Tables = ({ schema, pick }) => html`<${Panel} title="Tables">${(schema?.tables ?? []).map((table) => html`
  <details key=${table.name}><summary><code>${table.name}</code> <span class="dim">${table.unknown ?? f.plural(table.columns.length, 'column')}</span></summary>
    <p class="row"><button class="button quiet" onClick=${() => pick(table.name)}>Select from it</button><a href=${address(['lake', table.table])}>Its commits and files</a></p>
    <dl class="facts">${(table.columns ?? []).map((c) => html`<dt class="mono">${c.name}</dt><dd class="mono dim">${c.type}${c.masked ? ', hidden by console.mask' : ''}</dd>`)}</dl>
  </details>`)}${schema && !schema.exists && html`<p class="dim">The lake has no tables yet: <code>shopstream ingest</code></p>`}<//>`;
