// The pipeline as it is now: producers, topic with its partitions, ingest members, tables.
import { html } from 'preact';

import * as f from '../lib/format.js';

const MOST_PARTITIONS = 6;  // Those with the greatest lag; the rest are one line.

export function Pipeline({ value }) {
  const { lag = {}, brokers = {}, ingest = {}, tables = {} } = value;
  const { bronze = {}, silver = {}, gold = {}, quarantine = {} } = tables;
  const members = ingest.members ?? [];
  return html`<div class="pipeline">
    <div class="node"><h3>Producers</h3><p>${value.producers?.rate === null || value.producers?.rate === undefined ? 'rate unknown' : f.rate(value.producers.rate)}</p></div>
    <${Edge} rate=${value.producers?.rate} />
    <${Topic} value=${value} brokers=${brokers} lag=${lag} />
    <${Edge} rate=${lag.out_rate} stopped=${lag.records > 0 && lag.out_rate === 0} />
    <a class="node ${!ingest.unknown && members.length === 0 ? 'degraded' : ''}" href=${`/groups/${encodeURIComponent(value.group ?? '')}`}>
      <h3>Ingest</h3>
      <p>${ingest.unknown ? 'members unknown' : members.length === 0 ? '▲ no member' : f.plural(members.length, 'member')}</p>
      ${members.slice(0, 4).map((m) => html`<p>${(m.partitions ?? []).slice(0, 6).map((p) => `p${p}`).join(' ') || 'no partition'}${m.partitions?.length > 6 ? ' …' : ''}</p>`)}
      ${members.length > 4 && html`<p>and ${members.length - 4} more</p>`}</a>
    <${Edge} rate=${bronze.commits_per_minute === null || bronze.commits_per_minute === undefined ? undefined : bronze.commits_per_minute}
      text=${bronze.commits_per_minute === null || bronze.commits_per_minute === undefined ? '' : `${f.count(Math.round(bronze.commits_per_minute))} commits per min`} />
    <${Table} title="Bronze" table=${bronze} command="ingest" />
    <${Edge} text="" rate=${silver.exists ? 1 : 0} />
    <${Table} title="Silver" table=${silver} command="refine" />
    <${Edge} text="" rate=${gold.exists ? 1 : 0} />
    <a class="node" href="/lake"><h3>Gold</h3>${gold.unknown ? html`<p>unknown</p>` : !gold.exists ? html`<p>not there yet</p>` : html`
      <p>${f.plural(gold.tables, 'table')}</p><p>${gold.complete_through_ms ? `final to ${f.clock(gold.complete_through_ms)}` : 'nothing final'}</p>`}</a>
    ${quarantine.exists && html`<a class="node branch" href="/quality/quarantine"><h3>Quarantine</h3>
      <p>${quarantine.rows === null || quarantine.rows === undefined ? 'records not counted' : f.plural(quarantine.rows, 'record')}</p><p>${quarantine.rows_by_cause ? f.plural(Object.keys(quarantine.rows_by_cause).length, 'cause') : 'causes unknown'}</p></a>`}
  </div>`;
}

const Edge = ({ rate, text, stopped }) => html`<div class="edge ${stopped ? 'stopped' : rate > 0 ? '' : 'idle'}"><span>${
  text ?? (rate === null || rate === undefined ? 'rate unknown' : f.rate(rate))}</span></div>`;

const Table = ({ title, table, command }) => html`<a class="node" href=${table.name ? `/lake/${encodeURIComponent(table.name)}` : '/lake'}>
  <h3>${title}</h3>
  ${table.unknown ? html`<p>unknown</p>` : !table.exists ? html`<p>not there yet</p><p>shopstream ${command}</p>` : html`
    <p>${table.rows === null ? 'rows not counted' : f.plural(table.rows, 'row')}</p>
    <p>v ${f.count(table.version)} · ${f.ago(table.committed_ms)}</p>`}</a>`;

function Topic({ value, brokers, lag }) {
  const partitions = value.partitions ?? [];
  const shown = partitions.length <= MOST_PARTITIONS ? partitions
    : [...partitions].sort((a, b) => (b.lag ?? Infinity) - (a.lag ?? Infinity)).slice(0, MOST_PARTITIONS);
  const inSync = partitions.reduce((sum, p) => sum + (p.in_sync ?? 0), 0);
  const replicas = partitions.reduce((sum, p) => sum + (p.replicas ?? 0), 0);
  return html`<a class="node ${partitions.some((p) => p.leader === null) ? 'down' : inSync < replicas ? 'degraded' : ''}" href=${`/kafka/topics/${encodeURIComponent(value.topic ?? '')}`}>
    <h3 class="break">${value.topic}</h3>
    <p>${brokers.unknown ? 'brokers unknown' : `${brokers.up ?? f.unknown} of ${f.plural(brokers.all ?? 0, 'broker')}`}${replicas > 0 ? ` · ISR ${inSync}/${replicas}` : ''}</p>
    ${value.topic_exists === false && html`<p>▲ not there: shopstream topics setup</p>`}
    ${shown.map((p) => html`<${Partition} p=${p} />`)}
    ${partitions.length > shown.length && html`<p>and ${partitions.length - shown.length} with less lag</p>`}
    <p>${lag.records === null || lag.records === undefined ? 'lag unknown' : lag.records === 0 ? 'no lag'
    : `lag ${f.duration(lag.seconds)}${lag.clear_seconds ? ` · clears in ${f.duration(lag.clear_seconds)}` : lag.never_clears ? ' · grows' : ''}`}</p></a>`;
}

// What Kafka holds, from left to right: in the lake, and not yet.
function Partition({ p }) {
  const known = p.end !== null && p.end !== undefined && p.log_start !== null && p.log_start !== undefined;
  const held = known ? Math.max(p.end - p.log_start, 1) : 1;
  const behind = known && p.lag !== null ? Math.min(1, p.lag / held) : 0;
  // A lag too small to see is still drawn.
  const width = behind > 0 ? Math.max(behind * 100, 1.5) : 0;
  return html`<div class="partition"><span>p${p.partition}</span>
    <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class=${known && p.end > p.log_start && p.lag !== null && p.lag !== undefined ? 'done' : 'gone'} width=${100 - width} height="8" rx="1" />
      ${width > 0 && html`<rect class="behind" x=${100 - width} width=${width} height="8" />`}</svg>
    <span class="number">${p.unknown ? f.unknown : p.stopped ? 'stopped' : f.count(p.lag)}</span></div>`;
}
