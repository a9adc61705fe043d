// The path of one record from Kafka to Gold, drawn in SVG; each step says how far the record came.
import { html } from 'preact';

import * as f from '../lib/format.js';

const WIDTH = 176;
const HEIGHT = 76;
const GAP = 40;

// [title, two lines, state]: state "done", "stopped" or "ahead".
function steps(record) {
  const { kafka, bronze, quarantine, refined, gold } = record;
  const list = [{
    title: 'Kafka', lines: [`partition ${record.partition}, offset ${f.count(record.offset)}`,
      kafka.holds_it === null ? 'unknown whether it is there' : kafka.holds_it ? 'still there' : 'no longer there'], state: 'done',
  }];
  if (quarantine) list.push({ title: 'Quarantine', lines: [String(quarantine.row.cause), quarantine.replayed ? 'replayed' : 'undecodable'], state: bronze ? 'done' : 'stopped' });
  if (!quarantine || bronze) {
    list.push({ title: 'Bronze', lines: bronze ? [bronze.added.version === null ? 'version unknown' : `added in version ${f.count(bronze.added.version)}`,
      bronze.moved ? 'moved since by a compaction' : `row ${f.count(bronze.position)} of its row group`]
      : [record.state.replace('_', ' '), ''], state: bronze ? 'done' : 'ahead' });
  }
  if (refined.verdict === 'rejected' || refined.verdict === 'duplicate') {
    list.push({ title: 'Rejects', lines: [refined.reasons.join(', ').slice(0, 24), `pass ${f.count(refined.pass)}`], state: 'stopped' });
  } else {
    list.push({ title: 'Silver', lines: refined.verdict === 'silver' ? ['valid', `pass ${f.count(refined.pass)}`] : [refined.verdict === 'awaited' ? 'not refined yet' : '', ''],
      state: refined.verdict === 'silver' ? 'done' : 'ahead' });
  }
  const has = gold.filter((cell) => cell.state === 'has_it').length;
  list.push({ title: 'Gold', lines: gold.length === 0 ? ['', ''] : [`${has} of ${f.plural(gold.length, 'cell')}`, refined.verdict === 'silver' ? 'counts in them' : 'counts in the books'],
    state: has > 0 && has === gold.length ? 'done' : 'ahead' });
  return list;
}

export function Path({ record }) {
  const list = steps(record);
  const width = list.length * WIDTH + (list.length - 1) * GAP;
  const label = list.map((step) => `${step.title}: ${step.lines.filter(Boolean).join(', ') || 'not there'}`).join('; ');
  return html`<div class="table-scroll" tabindex="0" role="region" aria-label="Path of the record">
    <svg class="path" viewBox=${`0 0 ${width + 4} ${HEIGHT + 4}`} width=${width + 4} height=${HEIGHT + 4} role="img" aria-label=${label}>
      ${list.map((step, i) => {
    const x = 2 + i * (WIDTH + GAP);
    return html`<g class=${step.state} transform=${`translate(${x} 2)`}>
        ${i > 0 && html`<path class="way" d=${`M${-GAP} ${HEIGHT / 2}H-8m-5 -5l5 5l-5 5`} />`}
        <rect width=${WIDTH} height=${HEIGHT} rx="10" />
        <text class="title" x="12" y="24">${step.title}</text>
        <text x="12" y="44">${step.lines[0]}</text><text x="12" y="61">${step.lines[1]}</text></g>`;
  })}
    </svg></div>`;
}
