// Brokers and topics, one topic, and its messages.
import { html } from 'preact';

import * as f from '../lib/format.js';
import { useChannel, useResource } from '../lib/resource.js';
import { address, navigate, route } from '../lib/route.js';
import { Messages } from '../parts/messages.js';
import { Age, Failure, Head, Loaded, Panel } from '../parts/panel.js';
import { Prose } from '../parts/prose.js';
import { State } from '../parts/state.js';
import { DataTable } from '../parts/table.js';

export function Page() {
  const [, section, topic] = route.value.parts;
  if (section === 'topics' && topic) return html`<${Topic} key=${topic} name=${topic} />`;
  return html`<${Head} title="Kafka" /><${Topics} /><${Brokers} />`;
}

const topicAddress = (name, query) => address(['kafka', 'topics', name], query);

function Topics() {
  const topics = useChannel('topics');
  return html`<${Panel} title="Topics" aside=${html`<${Age} at=${topics.at} />`}>
    <${Loaded} of=${topics} what="the topics">${(value) => {
    if (value.unknown) return html`<${Failure} error=${{ kind: 'unavailable', message: value.unknown }} />`;
    // The lake's own lag comes first; of the others, the greatest.
    const first = (topic) => topic.lags.find((lag) => lag.is_lake) ?? topic.lags[0];
    const lag = (topic) => first(topic)?.records;
    return html`<${DataTable} caption="Topics" rows=${value.topics} rowKey=${(t) => t.topic} sort="topic"
      open=${(t) => navigate(topicAddress(t.topic))} columns=${[
        { key: 'topic', title: 'topic', long: true, draw: (t) => html`<a href=${topicAddress(t.topic)}>${t.topic}</a>${t.internal && html` <span class="tag">internal</span>`}` },
        { key: 'lag', title: 'lag', number: true, value: lag, draw: (t) => html`${t.lags.length === 0 ? html`<span class="dim">not read</span>`
    : html`${f.count(lag(t))}${first(t).seconds ? html` <span class="dim nowrap">${f.duration(first(t).seconds)}</span>` : ''}`}` },
        { key: 'in', title: 'in', number: true, value: (t) => t.in_per_second, draw: (t) => f.rate(t.in_per_second) },
        { key: 'offsets', title: 'offsets held', number: true, draw: (t) => f.count(t.offsets) },
        { key: 'partitions', title: 'partitions', number: true },
        { key: 'replication_factor', title: 'replicas', number: true },
        { key: 'state', title: 'state', value: topicState, draw: (t) => html`<${State} is=${topicState(t)} word=${topicWord(t)} />` },
      ]} />${value.lags_at_ms && html`<p class="dim">Lag as of ${f.clock(value.lags_at_ms)}: of the lake for ${value.own_topic}, of the group that is furthest behind for others.</p>`}`;
  }}<//><//>`;
}

const topicState = (t) => t.leaderless > 0 ? 'down' : t.under_replicated > 0 ? 'degraded' : 'up';
const topicWord = (t) => t.leaderless > 0 ? `${t.leaderless} without leader` : t.under_replicated > 0 ? `${t.under_replicated} under-replicated` : 'up';

function Brokers() {
  const brokers = useResource('/api/brokers', 2000);
  return html`<${Panel} title="Brokers"><${Loaded} of=${brokers} what="the brokers">${(value) => html`
    ${(value.unknown || value.cluster_unknown) && html`<${Failure} error=${{ kind: 'unavailable', message: value.unknown ?? value.cluster_unknown }} />`}
    <${DataTable} caption="Brokers" name="broker_" filter=${false} rows=${value.brokers ?? []} rowKey=${(b) => `${b.id} ${b.address}`} columns=${[
      { key: 'id', title: 'id', number: true },
      { key: 'address', title: 'address', mono: true },
      { key: 'state', title: 'state', draw: (b) => html`<${State} is=${b.state} />${b.reason && html` <span class="dim">${b.reason}</span>`}` },
      { key: 'leads', title: 'leads', number: true, draw: (b) => f.count(b.leads) },
      { key: 'replicas', title: 'replicas', number: true, draw: (b) => f.count(b.replicas) },
      { key: 'out_of_sync', title: 'out of sync', number: true, draw: (b) => f.count(b.out_of_sync) },
      { key: 'is_controller', title: 'controller', draw: (b) => b.is_controller ? 'controller' : '' },
    ]} />`}<//><//>`;
}

function Topic({ name }) {
  const topic = useResource(`/api/topics/${encodeURIComponent(name)}`, 5000);
  const tab = route.value.query.show ?? 'messages';
  const to = (show) => topicAddress(name, { show });
  return html`<${Head} title=${name} path=${[['Kafka', '/kafka']]}>
      <nav class="row" aria-label="Parts of the topic">${[['messages', 'Messages'], ['partitions', 'Partitions'], ['configuration', 'Configuration']].map(([show, title]) =>
    html`<a class="button ${tab === show ? 'main' : ''}" aria-current=${tab === show ? 'true' : undefined} href=${to(show)}>${title}</a>`)}</nav><//>
    <${Loaded} of=${topic} what="the topic" missing="There is no such topic">${(value) => {
    if (tab === 'partitions') return html`<${Partitions} topic=${value} />`;
    if (tab === 'configuration') return html`<${Configuration} topic=${value} />`;
    return html`<${Messages} topic=${value} />`;
  }}<//>`;
}

function Partitions({ topic }) {
  const most = Math.max(1, ...topic.partitions.map((p) => (p.end ?? 0) - (p.log_start ?? 0)));
  return html`<${Panel} title="Partitions" aside=${(topic.lags ?? []).map((lag) => html`<span class="dim">${lag.is_lake ? 'lake' : lag.group}: ${
    lag.records === null ? 'lag unknown' : `${f.count(lag.records)} behind`}</span> `)}>
    ${topic.lake_unknown && html`<p class="note warn">The lake's progress is unknown: ${topic.lake_unknown}</p>`}
    <${DataTable} caption="Partitions" filter=${false} rows=${topic.partitions} rowKey=${(p) => p.partition} columns=${[
    { key: 'partition', title: 'partition', number: true },
    { key: 'log', title: 'log start · lake · end', sortable: false, draw: (p) => html`<${Log} p=${p} most=${most} />` },
    { key: 'log_start', title: 'log start', number: true, draw: (p) => f.count(p.log_start) },
    { key: 'lake', title: 'lake', number: true, draw: (p) => f.count(p.lake) },
    { key: 'end', title: 'end', number: true, draw: (p) => p.end_unknown ? html`<span title=${p.end_unknown}>${f.unknown} <span class="dim">${p.end_unknown}</span></span>` : f.count(p.end) },
    { key: 'leader', title: 'leader', number: true, draw: (p) => p.leader ?? html`<${State} is="down" word="none" />` },
    { key: 'replicas', title: 'replicas', value: (p) => p.replicas.join(' ') },
    { key: 'in_sync', title: 'in sync', value: (p) => p.in_sync.join(' '), draw: (p) => html`${p.in_sync.join(' ')} ${p.under_replicated && html`<${State} is="degraded" word="under-replicated" />`}` },
  ]} /><//>`;
}

// Log start, lake and end on one scale, the longest partition being the whole width.
function Log({ p, most }) {
  if (p.end === null || p.log_start === null) return f.unknown;
  const width = 160 * (p.end - p.log_start) / most;
  const lake = p.lake === null ? 0 : 160 * Math.max(0, Math.min(p.lake, p.end) - p.log_start) / most;
  return html`<svg width="160" height="10" role="img" aria-label=${`${f.count(p.end - p.log_start)} offsets held, ${p.lake === null ? 'progress of the lake unknown' : `${f.count(p.end - p.lake)} not in the lake`}`}>
    <g class="partition"><rect class=${p.lake === null ? 'gone' : 'behind'} width=${Math.max(width, 1)} height="10" rx="1" /><rect class="done" width=${lake} height="10" rx="1" /></g></svg>`;
}

function Configuration({ topic }) {
  if (!topic.configuration) return html`<${Failure} error=${{ kind: 'refused', message: topic.configuration_unknown ?? 'The configuration is not shown.' }} />`;
  return html`<${Panel} title="Configuration"><p class="dim"><${Prose} text="Values that differ from the broker's default come first. Secrets are never shown." /></p>
    <${DataTable} caption="Configuration" rows=${[...topic.configuration].sort((a, b) => a.is_default - b.is_default)} rowKey=${(c) => c.name} columns=${[
    { key: 'name', title: 'setting', mono: true },
    { key: 'value', title: 'value', mono: true, long: true, draw: (c) => c.hidden ? html`<span class="dim">hidden</span>` : c.value === '' ? html`<span class="dim">empty</span>` : c.value },
    { key: 'is_default', title: 'from', value: (c) => c.is_default ? 'default' : 'this topic' },
  ]} /><//>`;
}
