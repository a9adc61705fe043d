// Follow one record into the lake and to its cells in Gold, or a file back to its offsets.
import { html, useState } from 'preact';

import { withQuery } from '../lib/api.js';
import * as f from '../lib/format.js';
import { useResource } from '../lib/resource.js';
import { address, navigate, route } from '../lib/route.js';
import { Empty, Head, Loaded, Panel } from '../parts/panel.js';
import { Path } from '../parts/path.js';
import { DataTable } from '../parts/table.js';

export function Page() {
  const { partition, offset, event_id: id, file } = route.value.query;
  const asked = file || id || (partition && offset);
  const answer = useResource(asked ? withQuery('/api/lineage', file ? { file } : id ? { event_id: id } : { partition, offset }) : null);
  return html`<${Head} title="Lineage" />
    <${Panel} label="Look for"><${Ask} query=${route.value.query} /><//>
    ${!asked ? html`<${Panel}><${Empty} title="Nothing is looked for yet">
      Give a record's partition and offset, an event id, or the path of a data file. Rows of other pages link here.<//><//>`
    : html`<${Loaded} of=${answer} what="the path of the record">${(value) => html`<${Answer} value=${value} />`}<//>`}`;
}

function Ask({ query }) {
  const [by, setBy] = useState(query.file ? 'file' : query.event_id ? 'event' : 'record');
  const look = (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.target));
    navigate(address(['lineage'], values));
  };
  const field = (name, title, size, extra = {}) => html`<label class="field">${title}
    <input name=${name} size=${size} required value=${query[name] ?? ''} key=${name} ...${extra} /></label>`;
  const number = { inputmode: 'numeric', pattern: '[0-9]+' };
  return html`<form class="row ask" onSubmit=${look}>
    <label class="field">By <select value=${by} onChange=${(e) => setBy(e.target.value)}>
      <option value="record">partition and offset</option><option value="event">event id</option><option value="file">file</option></select></label>
    ${by === 'record' && html`${field('partition', 'Partition', 6, number)}${field('offset', 'Offset', 14, number)}`}
    ${by === 'event' && field('event_id', 'Event id', 38)}
    ${by === 'file' && field('file', 'Path below the lake\'s root', 60)}
    <button class="button main">Follow</button></form>`;
}

function Answer({ value }) {
  if (value.exists === false) return html`<${Panel}><${Empty} title=${value.reason} next=${value.remedy}>There is nothing to follow yet.<//><//>`;
  if (value.file) return html`<${File} file=${value.file} />`;
  if (value.records.length === 0) {
    return html`<${Panel}><${Empty} title="No table of the lake has this event">
      It may not be in the lake yet, or be in quarantine, where records have no event id. With partition and offset the reason is known.<//><//>`;
  }
  return value.records.map((record) => html`<${Record} record=${record} key=${`${record.topic_id}/${record.partition}/${record.offset}`} />`);
}

function Record({ record }) {
  const { bronze, quarantine, refined } = record;
  const title = `${record.topic}, partition ${record.partition}, offset ${f.count(record.offset)}`;
  return html`<${Panel} title=${title} aside=${html`<span class="dim mono">topic id ${record.topic_id}</span>`}>
      <${Path} record=${record} />
      ${record.reason && html`<p class="note ${record.state === 'missing' || record.state === 'lost' ? 'bad' : 'warn'}">${record.reason}${
    record.remedy && html`. See <code>${record.remedy}</code>`}</p>`}<//>
    <div class="split">
      <${Panel} title="Where it is"><dl class="facts">
        ${quarantine && html`<dt>Quarantine</dt><dd><${Place} row=${quarantine} /> ${quarantine.replayed ? 'A replay has added it to Bronze since.' : ''}
          <a href=${`/quality?tab=quarantine&record=${record.partition}-${record.offset}`}>Its bytes</a></dd>`}
        ${bronze && html`<dt>Bronze</dt><dd><${Place} row=${bronze} /></dd>
          <dt>Added by</dt><dd><${Commit} table=${bronze.table} commit=${bronze.added} />${bronze.replayed ? ', a replay of quarantine' : ''}</dd>
          ${bronze.moved && html`<dt>Moved by</dt><dd><${Commit} table=${bronze.table} commit=${bronze.moved_by} /></dd>`}`}
        ${refined.verdict !== 'none' && html`<dt>Refined</dt><dd>${WORDS[refined.verdict]}${refined.pass ? ` in pass ${f.count(refined.pass)}` : ''}
          ${refined.reasons.length > 0 && html`: ${refined.reasons.map((reason) => html`<span class="tag">${reason}</span> `)}`} ${refined.reason}</dd>`}
        ${refined.row && html`<dt></dt><dd><${Place} row=${refined.row} /></dd>`}
        ${refined.duplicate_of && html`<dt>Duplicate of</dt><dd><${RecordLink} row=${refined.duplicate_of.row} /> <${Place} row=${refined.duplicate_of} /></dd>`}
      </dl><//>
      <${Values} row=${refined.row?.row ?? bronze?.row ?? quarantine?.row} />
    </div>
    <${Cells} record=${record} />`;
}

const WORDS = { silver: 'In Silver', rejected: 'Rejected', duplicate: 'Rejected as a duplicate', awaited: 'Not yet:', missing: 'Missing:', no_refine: 'No:' };

const Place = ({ row }) => html`<a class="mono break" href=${address(['lineage'], { file: `${row.table}/${row.file}` })}>${row.table}/${row.file}</a>
  <span class="dim"> row group ${row.row_group}, row ${f.count(row.position)}; version ${f.count(row.version)}, ${f.plural(row.file_rows, 'row')} in ${f.bytes(row.file_bytes)}</span>`;

const Commit = ({ table, commit }) => commit.version === null ? html`<span class="dim">unknown: ${commit.unknown}</span>`
  : html`<a href=${address(['lake', table], { version: commit.version })}>version ${f.count(commit.version)}</a>
    <span class="dim"> ${commit.operation} at ${f.instant(commit.time_ms)}, ${f.plural(commit.rows_added, 'row')} in ${f.plural(commit.files_added, 'file')}</span>`;

const RecordLink = ({ row }) => html`<a href=${address(['lineage'], { partition: row.kafka_partition, offset: row.kafka_offset })}>partition ${row.kafka_partition}, offset ${f.count(row.kafka_offset)}</a>`;

const Values = ({ row }) => html`<${Panel} title="The row">${row ? html`<dl class="facts values">${Object.entries(row).map(([name, value]) => html`
  <dt class="mono">${name}</dt><dd class="mono">${value === null ? html`<span class="dim">null</span>` : typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd>`)}</dl>`
  : html`<p class="dim">No table has it.</p>`}<//>`;

const STATES = { awaited: 'not there yet', absent: 'no such row', no_table: 'no such table' };

function Cells({ record }) {
  if (record.gold_unknown) return html`<${Panel} title="Gold"><p class="note warn">${record.gold_unknown}</p><//>`;
  if (record.gold.length === 0) return null;
  return html`<div class="grid wide">${record.gold.map((cell) => html`
    <${Panel} title=${cell.table} aside=${html`<span class="dim">${cell.state === 'has_it' ? `version ${f.count(cell.version)}` : STATES[cell.state]}</span>`}>
      <p class="row">${Object.entries(cell.key).map(([name, value]) => html`<span class="tag">${name} ${String(value)}</span>`)}</p>
      ${cell.state === 'has_it' && html`<table class="cells"><thead><tr><th>column</th><th class="number">cell</th><th class="number">this record</th><th>share</th></tr></thead>
        <tbody>${cell.columns.map((column) => html`<tr><td>${column.name}</td><td class="number mono">${text(column.value)}</td>
          <td class="number mono">${column.kind === 'derived' ? html`<span class="dim">derived</span>` : text(column.share)}</td>
          <td><${Share} column=${column} /></td></tr>`)}</tbody></table>`}<//>`)}</div>`;
}

const text = (value) => value === null || value === undefined ? f.unknown : String(value);

function Share({ column }) {
  if (column.share_percent === null) return html`<span class="dim">${{ distinct: 'counted once', min: column.share === column.value ? 'is the least' : '', max: column.share === column.value ? 'is the greatest' : '' }[column.kind] ?? ''}</span>`;
  const percent = column.share_percent;
  return html`<span class="share"><svg viewBox="0 0 60 8" aria-hidden="true"><rect class="all" width="60" height="8" rx="2" /><rect class="part" width=${Math.max(60 * Math.min(percent, 100) / 100, 1)} height="8" rx="2" /></svg>
    ${percent >= 10 ? percent.toFixed(0) : percent.toPrecision(2)} %</span>`;
}

function File({ file }) {
  return html`<${Panel} title="File" aside=${html`<span class="state ${file.live ? 'up' : 'unknown'}">${file.live ? 'live' : 'no longer in the table'}</span>`}>
      <dl class="facts"><dt>Path</dt><dd class="mono">${file.table}/${file.file}</dd>
        <dt>Size</dt><dd>${f.bytes(file.bytes)}${file.rows === null ? '' : `, ${f.plural(file.rows, 'row')}`}</dd>
        <dt>Added by</dt><dd><${Commit} table=${file.table} commit=${file.added} /></dd>
        ${file.removed_ms && html`<dt>Removed</dt><dd>${f.instant(file.removed_ms)}</dd>`}</dl><//>
    <${Panel} title="Records in it">${!file.has_coordinates ? html`<p class="dim">Its rows are made of many records, so that they have no offsets.</p>`
    : html`<${DataTable} caption="Offsets by partition" filter=${false} rows=${file.partitions} rowKey=${(p) => `${p.topic_id}/${p.partition}`} columns=${[
      { key: 'partition', title: 'partition', number: true },
      { key: 'rows', title: 'rows', number: true, draw: (p) => f.count(p.rows) },
      { key: 'first_offset', title: 'first', number: true, draw: (p) => html`<a href=${address(['lineage'], { partition: p.partition, offset: p.first_offset })}>${f.count(p.first_offset)}</a>` },
      { key: 'last_offset', title: 'last', number: true, draw: (p) => html`<a href=${address(['lineage'], { partition: p.partition, offset: p.last_offset })}>${f.count(p.last_offset)}</a>` },
      { key: 'ranges', title: 'ranges', long: true, mono: true, sortable: false, value: (p) => ranges(p) }]} />`}<//>`;
}

const SHOWN_RANGES = 20;
const ranges = (p) => p.ranges.slice(0, SHOWN_RANGES).map((r) => r.first_offset === r.last_offset ? r.first_offset : `${r.first_offset}–${r.last_offset}`).join(', ') +
  (p.ranges.length + p.ranges_left_out > SHOWN_RANGES ? ` and ${f.count(p.ranges.length + p.ranges_left_out - SHOWN_RANGES)} more` : '');
