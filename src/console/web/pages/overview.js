// Does it flow, where does it queue, what is final, and what is to do.
import { html } from 'preact';

import * as f from '../lib/format.js';
import { useChannel } from '../lib/resource.js';
import { StackedBars } from '../parts/bars.js';
import { Empty, Figure, Head, Loaded, Panel } from '../parts/panel.js';
import { Pipeline } from '../parts/pipeline.js';
import { Prose } from '../parts/prose.js';
import { State, worst } from '../parts/state.js';
import { DataTable } from '../parts/table.js';

export function Page() {
  const overview = useChannel('overview');
  return html`<h1 class="hidden" tabindex="-1">Overview</h1>
    <${Loaded} of=${overview} what="the pipeline">${(value) => html`
      <${Panel} title="Pipeline" aside=${html`<${Verdict} value=${value} />`}><${Pipeline} value=${value} /><//>
      <div class="grid"><${Figures} value=${value} at=${overview.at} /></div>
      <div class="split"><${Revenue} revenue=${value.revenue} /><${Health} parts=${value.health ?? []} /></div>
      <${Commits} commits=${value.commits ?? []} />`}<//>`;
}

// The answer in one sentence.
function Verdict({ value }) {
  const bad = (value.health ?? []).filter((part) => part.state !== 'up');
  const lag = value.lag ?? {};
  if (bad.length > 0) {
    return html`<span class="state ${worst(bad.map((part) => part.state))}">${bad[0].component}: ${bad[0].reason}${
      bad.length > 1 ? `, and ${f.plural(bad.length - 1, 'more')}` : ''}</span>`;
  }
  if (lag.records === null || lag.records === undefined) return html`<span class="state unknown">Lag unknown: ${lag.unknown ?? value.topic_unknown ?? 'no answer yet'}</span>`;
  if (lag.records > 0 && lag.seconds > 10) {
    return html`<span class="state degraded">${f.duration(lag.seconds)} behind${lag.clear_seconds ? `, clears in ${f.duration(lag.clear_seconds)}` : ''}</span>`;
  }
  const rate = value.producers?.rate;
  const flow = rate === null || rate === undefined ? 'Its rate is unknown' : rate > 0 ? 'It flows' : 'Idle: nothing is produced';
  const waits = lag.records === 0 ? 'nothing waits' : `${f.plural(lag.records, 'record')} on the way${lag.seconds === null || lag.seconds === undefined ? ', of unknown age' : ''}`;
  return html`<span class="state ${lag.records > 0 && !(lag.seconds >= 0) ? 'unknown' : 'up'}">${flow}; ${waits}</span>`;
}

function Figures({ value, at }) {
  const lag = value.lag ?? {};
  const gold = value.tables?.gold ?? {};
  const silver = value.tables?.silver ?? {};
  const through = gold.complete_through_ms ?? silver.complete_through_ms ?? value.tables?.bronze?.complete_through_ms;
  const throughOf = gold.complete_through_ms ? 'Gold' : silver.complete_through_ms ? 'Silver' : 'Bronze';
  const fresh = value.freshness ?? {};
  const [rate, rateUnit] = f.compact(lag.out_rate);
  const [seconds, secondsUnit] = f.span(lag.records === 0 ? 0 : lag.seconds);
  const [p99, p99Unit] = f.span(fresh.p99_seconds ?? fresh.seconds);
  return html`
    <${Figure} title="Throughput" value=${rate} unit=${rate === f.unknown ? '' : `${rateUnit} events/s`} at=${at}
      note=${`in ${f.rate(lag.in_rate)} · into the lake ${f.rate(lag.out_rate)}`} />
    <${Figure} title="Lag" value=${lag.records === 0 ? '0' : seconds} unit=${lag.records === 0 ? 's' : secondsUnit} at=${at}
      note=${lag.records === null || lag.records === undefined ? lag.unknown ?? 'no answer yet'
    : lag.records === 0 ? 'everything is in the lake'
      : `${f.plural(lag.records, 'record')}${lag.slowest_partition !== null ? `, p${lag.slowest_partition} slowest` : ''}${lag.clear_seconds ? `; clears in ${f.duration(lag.clear_seconds)}` : ''}`} />
    <${Figure} title="Produce to readable" value=${p99} unit=${p99Unit ? `${p99Unit}${fresh.p99_seconds ? ' p99' : ''}` : ''} at=${at}
      note=${fresh.p50_seconds ? `p50 ${f.duration(fresh.p50_seconds)} over ${f.duration(fresh.over_seconds)}` : fresh.unknown ?? ''} />
    <${Figure} title="Complete through" value=${through ? f.clock(through) : f.unknown} at=${at}
      note=${through ? `${throughOf} has everything that Kafka held then, on ${f.day(through)}` : 'nothing is final yet'} />`;
}

const REGIONS = { US: 'us', EU: 'eu', ASIA: 'asia' };

function Revenue({ revenue }) {
  const hours = revenue?.hours ?? [];
  const regions = [...new Set(hours.flatMap((hour) => Object.keys(hour.regions)))]
    .sort((a, b) => Object.keys(REGIONS).indexOf(a) - Object.keys(REGIONS).indexOf(b));
  if (hours.length === 0) {
    return html`<${Panel} title="Revenue per hour"><${Empty} title="No metrics yet" next="shopstream refine">
      ${revenue?.unknown ?? 'Gold has no rows.'} Refine makes Silver and Gold of what ingest writes.<//><//>`;
  }
  const orders = (name) => hours.reduce((sum, hour) => sum + (hour.orders[name] ?? 0), 0);
  return html`<${Panel} title=${`Revenue per hour, ${revenue.currency}`} aside=${html`<span class="dim">${f.plural(regions.reduce((sum, name) => sum + orders(name), 0), 'order')} in ${f.plural(hours.length, 'hour')}</span>`}>
    <${StackedBars} title=${`Revenue per hour and region, ${revenue.currency}`} unit=${revenue.currency}
      keys=${regions.map((name) => ({ name, class: REGIONS[name] ?? 'other', note: f.plural(orders(name), 'order') }))}
      bars=${hours.map((hour) => ({ label: f.clock(hour.hour_ms).slice(0, 5), values: regions.map((name) => hour.regions[name] ?? 0) }))} /><//>`;
}

const Health = ({ parts }) => html`<${Panel} title="Health"><ul class="parts" id="health">${parts.map((part) => html`
  <li><span class="break">${part.component}</span><${State} is=${part.state} />
    ${part.state !== 'up' && html`<p><${Prose} text=${part.reason} />${part.remedy && html`: <span class="dim"><${Prose} text=${part.remedy} /></span>`}</p>`}</li>`)}</ul>
  ${parts.length === 0 && html`<p class="loading">The first checks run.</p>`}<//>`;

const Commits = ({ commits }) => html`<${Panel} title="Last commits">
  ${commits.length === 0 ? html`<${Empty} title="No commit yet" next="shopstream ingest">Ingest writes what the topic holds into the lake.<//>`
    : html`<${DataTable} caption="Last commits" name="commit_" rows=${commits} filter=${false} rowKey=${(c) => `${c.table} ${c.version}`} columns=${[
      { key: 'at_ms', title: 'time', sortable: false, mono: true, draw: (c) => f.clock(c.at_ms) },
      { key: 'table', title: 'table', sortable: false, draw: (c) => html`<a href=${`/lake/${encodeURIComponent(c.table)}?version=${c.version}`}>${c.table}</a>` },
      { key: 'version', title: 'version', number: true, sortable: false, draw: (c) => f.count(c.version) },
      { key: 'what', title: 'what', sortable: false },
      { key: 'rows', title: 'rows', number: true, sortable: false, draw: (c) => f.count(c.rows) },
      { key: 'files', title: 'files', number: true, sortable: false, draw: (c) => f.count(c.files) },
      { key: 'detail', title: 'brought', mono: true, long: true, sortable: false },
    ]} />`}<//>`;
