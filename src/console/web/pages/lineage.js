// One record as a path: from its place in Kafka to the cells of Gold that it contributes to; and back
// from a file to its offsets.
import { html, useState } from 'preact';

import { withQuery } from '../lib/api.js';
import * as f from '../lib/format.js';
import { useResource } from '../lib/resource.js';
import { address, navigate, route } from '../lib/route.js';
import { Empty, Head, Loaded, Panel } from '../parts/panel.js';
import { Prose } from '../parts/prose.js';
import { State } from '../parts/state.js';
import { DataTable } from '../parts/table.js';

export function Page() {
  const { partition = '', offset = '', event_id = '', file = '' } = route.value.query;
  const asked = file || event_id || (partition !== '' && offset !== '');
  const found = useResource(asked ? withQuery('/api/lineage', file ? { file } : event_id ? { event_id } : { partition, offset }) : null);
  return html`<${Head} title="Lineage" />
    <${Ask} key=${JSON.stringify(route.value.query)} query=${route.value.query} />
    ${!asked ? html`<${Panel}><${Empty} title="Follow one record">
        Give its place in Kafka or its event id to see where it went, step by step; or a file of the lake to see which offsets it holds.<//><//>`
    : html`<${Loaded} of=${found} what="the path" missing="There is no lake yet">${(value) => file ? html`<${FilePath} file=${value.file} />`
      : value.records.length === 0 ? html`<${Panel}><${Empty} title="No table of the lake has this event" next="shopstream ingest">
          It may be on its way. <a href=${`/kafka/topics/${encodeURIComponent(value.topic ?? '')}?text=${encodeURIComponent(event_id)}`}>Search the topic for it</a>.<//><//>`
        : value.records.map((record) => html`<${RecordPath} record=${record} />`)}<//>`}`;
}

function Ask({ query }) {
  const [values, setValues] = useState({ partition: '', offset: '', event_id: '', file: '', ...query });
  const set = (name) => (event) => setValues({ ...values, [name]: event.target.value.trim() });
  const go = (names) => (event) => {
    event.preventDefault();
    navigate(address(['lineage'], Object.fromEntries(names.map((name) => [name, values[name]]))));
  };
  return html`<${Panel}><div class="row">
    <form class="row" onSubmit=${go(['partition', 'offset'])}>
      <label class="field">Partition<input class="mono" size="5" inputmode="numeric" required value=${values.partition} onInput=${set('partition')} /></label>
      <label class="field">Offset<input class="mono" size="10" inputmode="numeric" required value=${values.offset} onInput=${set('offset')} /></label>
      <button class="button main">Follow</button></form>
    <form class="row" onSubmit=${go(['event_id'])}>
      <label class="field">Event id<input class="mono" size="36" required value=${values.event_id} onInput=${set('event_id')} /></label>
      <button class="button">Follow</button></form>
    <form class="row" onSubmit=${go(['file'])}>
      <label class="field">File of the lake<input class="mono" size="36" required value=${values.file} onInput=${set('file')} placeholder="bronze-events/region=EU/date=…" /></label>
      <button class="button">Show offsets</button></form>
  </div><//>`;
}

const ARRIVALS = {
  in_lake: 'up', quarantined: 'degraded', erased: 'unknown', expired: 'unknown', lost: 'down', no_record: 'unknown',
  awaited: 'degraded', not_produced: 'unknown', missing: 'down', unknown: 'unknown',
};
const VERDICTS = {
  silver: ['up', 'in Silver'], rejected: ['degraded', 'rejected'], duplicate: ['unknown', 'duplicate'],
  awaited: ['degraded', 'not refined yet'], missing: ['down', 'missing'], no_refine: ['unknown', 'not refined'], none: ['unknown', 'not refined'],
};

function RecordPath({ record }) {
  const { bronze, quarantine, refined } = record;
  const [state, word] = VERDICTS[refined?.verdict] ?? VERDICTS.none;
  return html`<${Panel} title=${`${record.topic} · partition ${record.partition} · offset ${f.count(record.offset)}`}
      aside=${html`<${State} is=${ARRIVALS[record.state] ?? 'unknown'} word=${record.state.replaceAll('_', ' ')} />`}>
    ${record.reason && html`<p class="note"><${Prose} text=${record.reason} />${record.remedy && html` Next: <code>${record.remedy}</code>`}</p>`}
    <ol class="path">
      <${Step} title="Kafka" state=${record.kafka.unknown ? 'unknown' : record.kafka.holds_it ? 'up' : 'unknown'}
        word=${record.kafka.unknown ? 'unknown' : record.kafka.holds_it ? 'still there' : 'no longer there'}>
        <p>${record.kafka.unknown ?? `The partition has the offsets from ${f.count(record.kafka.log_start)} to before ${f.count(record.kafka.end)}.`}</p>
        <p><a href=${`/kafka/topics/${encodeURIComponent(record.topic)}?record=${record.partition}/${record.offset}`}>Open the message</a></p><//>
      ${quarantine && html`<${Step} title="Quarantine" state="degraded" word=${quarantine.row.cause ?? 'undecodable'}>
        <p>${quarantine.row.detail}</p><${Place} stored=${quarantine} /><${Commit} commit=${quarantine.added} table=${quarantine.table} />
        <p>${quarantine.replayed ? 'A replay has added it to Bronze since.' : html`<a href=${`/quality/quarantine?record=${record.partition}/${record.offset}`}>Open it in quarantine</a>`}</p><//>`}
      ${bronze && html`<${Step} title="Bronze" state="up" word=${bronze.table}>
        <${Place} stored=${bronze} /><${Commit} commit=${bronze.added} table=${bronze.table} label=${bronze.replayed ? 'Added by a replay in' : 'Added by'} />
        ${bronze.moved && html`<${Commit} commit=${bronze.moved_by} table=${bronze.table} label="Moved to this file by" />`}<${Row} row=${bronze.row} /><//>`}
      ${bronze && refined && html`<${Step} title="Refine" state=${state} word=${word}>
        <p>${refined.reasons?.length > 0 ? refined.reasons.join(' · ') : refined.reason}${refined.pass !== null && refined.pass !== undefined ? ` Pass ${f.count(refined.pass)}.` : ''}</p>
        ${refined.row && html`<${Place} stored=${refined.row} /><${Row} row=${refined.row.row} />`}
        ${refined.duplicate_of && html`<p>It repeats <a href=${`/lineage?partition=${refined.duplicate_of.row.kafka_partition}&offset=${refined.duplicate_of.row.kafka_offset}`}>partition ${
          refined.duplicate_of.row.kafka_partition}, offset ${f.count(refined.duplicate_of.row.kafka_offset)}</a>.</p>`}<//>`}
      ${(record.gold.length > 0 || record.gold_unknown) && html`<${Step} title="Gold" state=${record.gold.length > 0 ? 'up' : 'unknown'} word=${f.plural(record.gold.length, 'cell')}>
        ${record.gold_unknown && html`<p>${record.gold_unknown}</p>`}
        ${record.gold.map((cell) => html`<${Cell} cell=${cell} />`)}<//>`}
    </ol><//>`;
}

const Step = ({ title, state, word, children }) => html`<li><h3>${title}</h3><${State} is=${state} word=${word} /><div class="stack">${children}</div></li>`;

const Place = ({ stored }) => html`<p class="break">Row ${f.count(stored.position)} of row group ${stored.row_group} in${' '}
  <a class="mono" href=${`/lineage?file=${encodeURIComponent(`${stored.table}/${stored.file}`)}`}>${stored.table}/${stored.file}</a>
  <span class="dim"> ${stored.file_rows === null ? '' : f.plural(stored.file_rows, 'row')}, ${f.bytes(stored.file_bytes)}</span></p>`;

const Commit = ({ commit, table, label = 'Added by' }) => !commit ? null : html`<p>${label} ${commit.version === null || commit.version === undefined
  ? `an unknown version: ${commit.unknown}`
  : html`<a href=${`/lake/${encodeURIComponent(table)}?version=${commit.version}`}>version ${f.count(commit.version)}</a> of ${f.instant(commit.time_ms)}
    <span class="dim"> ${commit.operation}, ${f.plural(commit.rows_added, 'row')} in ${f.plural(commit.files_added, 'file')}</span>`}</p>`;

const Row = ({ row }) => html`<details><summary>The row</summary><dl class="facts">${Object.entries(row).map(([name, value]) =>
  html`<dt class="mono">${name}</dt><dd class="mono">${value === null ? html`<span class="dim">null</span>` : typeof value === 'object' ? JSON.stringify(value) : String(value)}</dd>`)}</dl></details>`;

const show = (value) => value === null || value === undefined ? f.unknown : typeof value === 'object' ? JSON.stringify(value) : String(value);

const Cell = ({ cell }) => html`<div><p><a href=${`/lake/${encodeURIComponent(cell.table)}`}>${cell.table}</a>
    <span class="dim"> ${Object.entries(cell.key).map(([name, value]) => `${name} ${show(value)}`).join(' · ')}</span></p>
  <${DataTable} caption=${`Cell of ${cell.table}`} filter=${false} rows=${cell.columns.filter((c) => c.kind !== 'key')} rowKey=${(c) => c.name} columns=${[
    { key: 'name', title: 'column', sortable: false, mono: true },
    { key: 'value', title: 'value', number: true, sortable: false, draw: (c) => show(c.value) },
    { key: 'share', title: 'of this record', number: true, sortable: false, draw: (c) => show(c.share) },
    { key: 'share_percent', title: '%', number: true, sortable: false, draw: (c) => c.share_percent === null ? '' : String(Number(c.share_percent.toPrecision(2))) },
  ]} /></div>`;

function FilePath({ file }) {
  return html`<${Panel} title=${`${file.table}/${file.file}`} aside=${html`<${State} is=${file.live ? 'up' : 'unknown'} word=${file.live ? `live at version ${f.count(file.version)}` : 'no longer in the table'} />`}>
    <p>${file.rows === null ? 'Rows unknown' : f.plural(file.rows, 'row')}, ${f.bytes(file.bytes)}.</p>
    <${Commit} commit=${file.added} table=${file.table} />
    ${!file.has_coordinates ? html`<p class="note">Its rows come from many records, so it has no offsets.</p>`
    : html`<${DataTable} caption="Offsets in the file" filter=${false} rows=${file.partitions} rowKey=${(p) => `${p.topic_id} ${p.partition}`} columns=${[
      { key: 'partition', title: 'partition', number: true },
      { key: 'rows', title: 'rows', number: true, draw: (p) => f.count(p.rows) },
      { key: 'first_offset', title: 'first', number: true, draw: (p) => html`<a href=${`/lineage?partition=${p.partition}&offset=${p.first_offset}`}>${f.count(p.first_offset)}</a>` },
      { key: 'last_offset', title: 'last', number: true, draw: (p) => html`<a href=${`/lineage?partition=${p.partition}&offset=${p.last_offset}`}>${f.count(p.last_offset)}</a>` },
      { key: 'ranges', title: 'without gaps', long: true, mono: true, sortable: false, value: (p) => p.ranges.slice(0, 30).map((r) =>
        r.first_offset === r.last_offset ? f.count(r.first_offset) : `${f.count(r.first_offset)}–${f.count(r.last_offset)}`).join(' ') + (p.ranges.length > 30 || p.ranges_left_out > 0 ? ' …' : '') },
      { key: 'topic_id', title: 'topic id', mono: true },
    ]} />`}<//>`;
}
