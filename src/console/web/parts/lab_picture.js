// A lab's topics and tables as they are now. What is new since the sample before has its own colour.
import { html } from 'preact';

import * as f from '../lib/format.js';

const MOST_SQUARES = 24;  // Of a table's files.

// now, before: two answers of /api/labs/N/state; before may be null.
export function LabPicture({ now, before }) {
  return html`<div class="lab-picture stack">
    ${now.topics_unknown && html`<p class="note warn">The topics are unknown: ${now.topics_unknown}</p>`}
    ${now.groups_unknown && html`<p class="note warn">How far the groups are is unknown: ${now.groups_unknown}</p>`}
    ${now.topics.map((topic) => html`<${Topic} key=${topic.topic} topic=${topic} groups=${now.groups}
      before=${before?.topics.find((t) => t.topic === topic.topic)} />`)}
    ${now.tables.length === 0 ? html`<p class="dim">There is no table yet.</p>` : html`<${Tables} tables=${now.tables} before=${before?.tables ?? []} />`}
    ${before && html`<ul class="key"><li><i class="fresh"></i>new since the last look</li></ul>`}
  </div>`;
}

function Topic({ topic, groups, before }) {
  const readers = groups.map(({ group, offsets }) => ({ group, at: new Map(offsets.filter((o) => o.topic === topic.topic).map((o) => [o.partition, o.offset])) }))
    .filter(({ at }) => at.size > 0);
  const records = topic.partitions.reduce((sum, p) => sum + p.end - p.start, 0);
  const most = Math.max(1, ...topic.partitions.map((p) => p.end));
  const bars = (at) => topic.partitions.map((p) => html`<${Partition} key=${p.partition} p=${p} most=${most} at=${at?.get(p.partition) ?? (at ? p.start : null)}
    before=${before?.partitions.find((b) => b.partition === p.partition)?.end ?? null} />`);
  return html`<section class="stack" aria-label=${`Topic ${topic.topic}`}>
    <h3 class="break">${topic.topic} · ${f.plural(records, 'record')}</h3>
    ${readers.length === 0 ? html`<div>${bars(null)}</div>` : readers.map(({ group, at }) => html`<div key=${group}>
      <p class="dim break">read by ${group}: ${behind(topic, at)}</p>${bars(at)}</div>`)}
  </section>`;
}

function behind(topic, at) {
  const left = topic.partitions.reduce((sum, p) => sum + Math.max(0, p.end - (at.get(p.partition) ?? p.start)), 0);
  return left === 0 ? 'nothing waits' : `${f.plural(left, 'record')} behind`;
}

// From the first offset to the end; `at`: how far its group is, null for no group.
function Partition({ p, most, at, before }) {
  const x = (offset) => 100 * offset / most;
  const part = (name, from, to) => to > from && html`<rect class=${name} x=${x(from)} width=${Math.max(x(to) - x(from), 0.8)} height="8" />`;
  const fresh = before !== null && before < p.end ? before : p.end;
  return html`<div class="partition"><span>p${p.partition}</span>
    <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="none" width="100" height="8" />
      ${part('done', p.start, at ?? p.end)}${at !== null && part('behind', at, p.end)}${part('fresh', Math.max(fresh, p.start), p.end)}</svg>
    <span class="number" title=${at === null ? 'end offset' : 'offset of the group, and end offset'}>${at === null ? f.count(p.end) : `${f.count(at)}/${f.count(p.end)}`}</span></div>`;
}

const Tables = ({ tables, before }) => html`<div class="table-scroll" tabindex="0" role="region" aria-label="Tables of the lab"><table class="cards">
  <thead><tr><th scope="col">table</th><th scope="col" class="number">rows</th><th scope="col" class="number">version</th><th scope="col">files</th></tr></thead>
  <tbody>${tables.map((table) => {
    const old = before.find((b) => b.table === table.table);
    return html`<tr key=${table.table}><td class="nowrap">${table.table}</td>${table.unknown ? html`<td colspan="3" class="dim long">${table.unknown}</td>` : html`
      <td class="number" data-title="rows">${f.count(table.rows)}</td><td class="number" data-title="version">${f.count(table.version)}</td>
      <td class="nowrap"><${Files} count=${table.files} old=${old?.version === table.version ? table.files : old?.files ?? (before.length > 0 ? 0 : table.files)} /><br />${f.plural(table.files, 'file')}, ${f.bytes(table.bytes)}</td>`}</tr>`;
  })}</tbody></table></div>`;

// A square per file, as far as there is room.
function Files({ count, old }) {
  const shown = Math.min(count, MOST_SQUARES);
  return html`<svg class="files" width=${shown * 6} height="10" aria-hidden="true">${Array.from({ length: shown }, (_, i) => html`
    <rect class=${i < old ? 'done' : 'fresh'} x=${i * 6} width="5" height="10" rx="1" />`)}</svg>`;
}
