// Tables: how large, how healthy, what each commit brought, which files there are.
import { html } from 'preact';

import { withQuery } from '../lib/api.js';
import * as f from '../lib/format.js';
import { useResource } from '../lib/resource.js';
import { address, route, setQuery } from '../lib/route.js';
import { TimeChart } from '../parts/chart.js';
import { Empty, Figure, Head, Loaded, Panel } from '../parts/panel.js';
import { DataTable } from '../parts/table.js';

export const Page = () => route.value.parts[1] ? html`<${Table} name=${route.value.parts[1]} key=${route.value.parts[1]} />` : html`<${Tables} />`;

const share = (part, all) => all > 0 ? `${Math.round(100 * part / all)} %` : f.unknown;

function Tables() {
  const tables = useResource('/api/tables', 5000);
  return html`<${Head} title="Lake" /><${Loaded} of=${tables} what="the tables">${(value) => html`
    ${value.tables_unknown && html`<p class="note warn">The list may lack tables: ${value.tables_unknown}</p>`}
    <${Panel}>${!value.exists ? html`<${Empty} title="The lake has no tables yet" next=${value.remedy}>Ingest creates Bronze with the first record that it reads.<//>`
    : html`<${DataTable} caption="Tables" rows=${value.tables.filter((t) => t.exists !== false)} rowKey=${(t) => t.table} columns=${[
      { key: 'table', title: 'table', draw: (t) => html`<a class="nowrap" href=${address(['lake', t.table])}>${t.table}</a>${t.unknown ? html` <span class="state unknown">${t.unknown}</span>` : ''}` },
      { key: 'rows', title: 'rows', number: true, draw: (t) => f.count(t.rows) },
      { key: 'files', title: 'files', number: true, draw: (t) => f.count(t.files) },
      { key: 'bytes', title: 'size', number: true, draw: (t) => html`<span class="nowrap">${f.bytes(t.bytes)}</span>` },
      { key: 'small', title: 'small files', number: true, value: (t) => t.small_files, draw: (t) => share(t.small_files, t.files) },
      { key: 'committed_ms', title: 'last commit', number: true, draw: (t) => html`<span class="nowrap" title=${f.instant(t.committed_ms)}>${f.ago(t.committed_ms)}</span>` },
      { key: 'complete_through_ms', title: 'complete through', number: true, draw: (t) => html`<span class="nowrap">${f.instant(t.complete_through_ms && Math.floor(t.complete_through_ms / 1000) * 1000)}</span>` },
      { key: 'advice', title: 'what to do', long: true, value: (t) => t.advice?.command, draw: (t) => t.advice ? html`${t.advice.reason}: <code>${t.advice.command}</code>` : html`<span class="dim">nothing</span>` },
    ]} />`}<//>`}<//>`;
}

const TABS = [['', 'Commits'], ['files', 'Files'], ['columns', 'Columns'], ['history', 'Size over time']];

function Table({ name }) {
  const { tab = '' } = route.value.query;
  const path = `/api/tables/${encodeURIComponent(name)}`;
  const table = useResource(path, 10000);
  return html`<${Head} title=${name} path=${[['Lake', '/lake']]}><a class="button" href=${address(['sql'], { sql: `SELECT * FROM ${sqlName(name)} LIMIT 100` })}>Query it</a><//>
    <${Loaded} of=${table} what="the table">${(value) => html`
      <div class="grid"><${Facts} value=${value} at=${table.at} /></div>
      ${value.health.advice && html`<p class="note warn">${value.health.advice.reason}: <code>${value.health.advice.command}</code></p>`}
      ${value.warning && html`<p class="note warn">${value.warning}</p>`}
      <nav class="tabs" aria-label="Views of the table">${TABS.map(([id, title]) => html`
        <a href=${address(['lake', name], { tab: id })} aria-current=${tab === id ? 'page' : undefined}>${title}</a>`)}</nav>
      ${tab === '' && html`<${Commits} path=${path} name=${name} />`}
      ${tab === 'files' && html`<${Files} path=${path} name=${name} />`}
      ${tab === 'columns' && html`<${Columns} value=${value} />`}
      ${tab === 'history' && html`<${Sizes} path=${path} />`}`}<//>`;
}

const sqlName = (path) => ({ 'bronze-events': 'bronze_events', 'bronze-quarantine': 'bronze_quarantine' }[path] ?? path.replace(/^gold-metrics\//, 'gold_').replace(/[-/]/g, '_'));

function Facts({ value, at }) {
  const { health } = value;
  const [rows, unit] = f.compact(value.rows);
  return html`
    <${Figure} title="Rows" value=${rows} unit=${unit} at=${at} note=${`version ${f.count(value.version)}, ${f.ago(value.last_commit_ms)}`} />
    <${Figure} title="Size" value=${f.bytes(value.bytes).split(' ')[0]} unit=${f.bytes(value.bytes).split(' ')[1]} note=${`${f.plural(value.files, 'file')}, ${share(health.small_files, value.files)} of them small`} />
    <${Figure} title="Dead bytes" value=${f.bytes(health.dead_bytes).split(' ')[0]} unit=${f.bytes(health.dead_bytes).split(' ')[1]} note=${`${f.plural(health.dead_files, 'file')} kept for readers of earlier versions`} />
    <${Figure} title="Versions" value=${f.count(health.newest_version - health.oldest_version + 1)} unit="" note=${`from ${f.count(health.oldest_version)} on; ${f.count(health.expired_versions)} could expire`} />`;
}

function Commits({ path, name }) {
  const { before, version } = route.value.query;
  const answer = useResource(withQuery(`${path}/commits`, { before: before ?? (version && Number(version) + 1), limit: 50 }), before || version ? 0 : 5000);
  return html`<${Panel} label="Commits"><${Loaded} of=${answer} what="the commits">${(value) => html`
    <${DataTable} caption=${`Commits of ${name}`} rows=${value.commits} filter=${false} rowKey=${(c) => c.version} phone="cards"
      empty="The log no longer has earlier commits." columns=${[
    { key: 'version', title: 'version', number: true, sortable: false, draw: (c) => html`<a href=${address(['lake', name], { version: c.version })}>${f.count(c.version)}</a>` },
    { key: 'what', title: 'what', sortable: false, long: true, draw: (c) => html`${c.operation || 'no operation'} <span class="dim">${c.pass !== null ? `pass ${f.count(c.pass)} ` : ''}${c.data_change ? '' : 'moves rows only'}</span>` },
    { key: 'time_ms', title: 'time', sortable: false, draw: (c) => html`<span class="mono nowrap">${f.instant(c.time_ms)}</span>` },
    { key: 'rows_added', title: 'rows', number: true, sortable: false, draw: (c) => f.count(c.rows_added) },
    { key: 'files', title: 'files', number: true, sortable: false, draw: (c) => html`<span class="nowrap">+${f.count(c.files_added)}${c.files_removed > 0 ? ` −${f.count(c.files_removed)}` : ''}</span>` },
    { key: 'bytes_added', title: 'size', number: true, sortable: false, draw: (c) => html`<span class="nowrap">${f.bytes(c.bytes_added)}</span>` },
    { key: 'offsets', title: 'offsets', sortable: false, long: true, mono: true, draw: (c) => c.offsets.map((o) => html`<div>p${o.partition} ${o.begin === null ? '…' : f.count(o.begin)}–${f.count(o.end - 1)}</div>`) },
  ]} />
    <p class="row">${(before || version) && html`<a class="button" href=${address(['lake', name])}>Newest</a>`}
      ${value.next_before !== null && html`<a class="button" href=${address(['lake', name], { before: value.next_before })}>Earlier</a>`}</p>`}<//><//>`;
}

const PAGE = 100;
const NAME = 13;  // Characters of a file's name that tell it from others.

const folder = (path) => path.slice(0, path.lastIndexOf('/') + 1).replaceAll('/', ' / ');
const short = (path) => { const file = path.slice(path.lastIndexOf('/') + 1); return file.length > NAME + 3 ? `${file.slice(0, NAME)}…` : file; };

function Files({ path, name }) {
  const { sort = 'bytes', order = 'desc', part = '', skip = '0' } = route.value.query;
  const answer = useResource(withQuery(`${path}/files`, { sort, order, filter: part, skip, limit: PAGE }));
  const from = Number(skip);
  const by = (column, title) => html`<button class="button ${sort === column ? '' : 'quiet'}" aria-pressed=${sort === column}
    onClick=${() => setQuery({ sort: column, order: sort === column && order === 'desc' ? 'asc' : 'desc', skip: '' })}>${title}${sort === column ? (order === 'desc' ? ' ↓' : ' ↑') : ''}</button>`;
  return html`<${Panel} label="Files">
    <div class="table-tools"><input type="search" aria-label="Part of the path" placeholder="Part of the path" value=${part} onChange=${(e) => setQuery({ part: e.target.value, skip: '' })} />
      <span class="dim">Sorted by</span>${by('bytes', 'size')}${by('rows', 'rows')}${by('modified', 'time')}${by('path', 'path')}</div>
    <${Loaded} of=${answer} what="the files">${(value) => html`
      <p class="dim" role="status">${f.plural(value.matching, 'file')}, ${f.bytes(value.bytes)}; ${value.files.length === 0 ? 'none' : `${f.count(from + 1)} to ${f.count(from + value.files.length)}`} shown</p>
      <div class="table-scroll" tabindex="0" role="region" aria-label="Table: files"><table class="cards"><thead><tr><th>path</th><th class="number">size</th><th class="number">rows</th><th>written</th></tr></thead>
        <tbody>${value.files.map((file) => html`<tr key=${file.path}><td class="long"><a href=${address(['lineage'], { file: `${name}/${file.path}` })}>${folder(file.path)}<span class="mono">${short(file.path)}</span></a></td>
          <td class="number nowrap">${f.bytes(file.bytes)}${file.small ? html` <span class="tag">small</span>` : ''}</td><td class="number" data-title="rows">${f.count(file.rows)}</td><td class="mono nowrap" data-title="written">${f.instant(file.modified_ms)}</td></tr>`)}</tbody></table></div>
      <p class="row">${from > 0 && html`<button class="button" onClick=${() => setQuery({ skip: String(Math.max(0, from - PAGE)) })}>Back</button>`}
        ${from + PAGE < value.matching && html`<button class="button" onClick=${() => setQuery({ skip: String(from + PAGE) })}>Next ${PAGE}</button>`}</p>`}<//><//>`;
}

function Columns({ value }) {
  const partitions = value.partitions.largest ?? [];
  return html`<div class="split"><${Panel} title="Columns"><${DataTable} caption="Columns" rows=${value.columns} rowKey=${(c) => c.column} columns=${[
    { key: 'column', title: 'column', mono: true }, { key: 'type', title: 'type', mono: true },
    { key: 'partition', title: 'partition', number: true, draw: (c) => c.partition ?? '' },
    { key: 'field', title: 'field of the record', draw: (c) => c.masked ? html`<span class="tag">hidden by console.mask</span>` : c.field ?? '' }]} /><//>
    <div class="stack"><${Panel} title="Largest partitions" aside=${html`<span class="dim">of ${f.count(value.partitions.count)}</span>`}><${DataTable} name="p" caption="Partitions" filter=${false} rows=${partitions} rowKey=${(p) => JSON.stringify(p.values)} columns=${[
    { key: 'values', title: 'partition', long: true, value: (p) => Object.values(p.values).map((v) => v ?? 'null').join(' / ') },
    { key: 'bytes', title: 'size', number: true, draw: (p) => f.bytes(p.bytes) }, { key: 'files', title: 'files', number: true, draw: (p) => f.count(p.files) },
    { key: 'rows', title: 'rows', number: true, draw: (p) => f.count(p.rows) }]} /><//>
    <${Panel} title="Properties"><dl class="facts">${Object.entries(value.properties).map(([key, text]) => html`<dt class="mono break">${key}</dt><dd class="mono">${text.length > 160 ? html`<details><summary>${text.slice(0, 80)}…</summary>${text}</details>` : text}</dd>`)}</dl><//></div></div>`;
}

function Sizes({ path }) {
  const answer = useResource(`${path}/history`, 10000);
  return html`<${Loaded} of=${answer} what="the history">${({ points }) => {
    const times = points.map((p) => p.time_ms / 1000);
    return html`<div class="split"><${Panel}><${TimeChart} title="Files" times=${times} series=${[{ label: 'files', values: points.map((p) => p.files), color: '--us' }]} /><//>
      <${Panel}><${TimeChart} title="Bytes" times=${times} format=${f.bytes} series=${[{ label: 'bytes', values: points.map((p) => p.bytes), color: '--accent' }]} /><//></div>`;
  }}<//>`;
}
