// Time series, drawn by uPlot on a canvas, which a screen reader cannot see: so each chart has a
// cursor that the arrow keys move, a spoken reading, and its points as a table.
import { html, useEffect, useRef, useState } from 'preact';

import { clock, compact, instant } from '../lib/format.js';

const HEIGHT = 180;
const TABLE_ROWS = 60;  // The hidden table shows at most this many points, evenly spaced.

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
// A token such as light-dark(#fff, #000) is resolved only in a property.
function color(token) {
  const probe = document.createElement('i');
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value || css(token);
}

// times: seconds since 1970; series: [{label, values, color: '--accent', unit}]; null values are gaps.
export function TimeChart({ title, times, series, format = (v) => compact(v).join(' ').trim() }) {
  const box = useRef(null);
  const plot = useRef(null);
  const [at, setAt] = useState(null);
  const [theme, setTheme] = useState(0);

  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)');
    const again = () => setTheme((n) => n + 1);
    media.addEventListener('change', again);
    addEventListener('themechange', again);
    return () => { media.removeEventListener('change', again); removeEventListener('themechange', again); };
  }, []);

  const labels = series.map((s) => s.label + s.color).join();
  useEffect(() => {
    let gone = false;
    let resized = null;
    import('../vendor/uplot.js').then(({ default: uPlot }) => {
      if (gone) return;
      const line = color('--line');
      const dim = color('--dim');
      const axis = { stroke: dim, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: '12px sans-serif' };
      plot.current = new uPlot({
        width: box.current.clientWidth || 300, height: HEIGHT, legend: { show: false },
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), 'UTC'),
        scales: { y: { range: (_, min, max) => [Math.min(0, min ?? 0), (max ?? 1) * 1.1 || 1] } },
        axes: [{ ...axis, space: 80, values: (u, ticks) => ticks.map((t) => u.scales.x.max - u.scales.x.min > 86400 ? instant(t * 1000).slice(5, 16) : clock(t * 1000)) }, { ...axis, size: 76, values: (_, ticks) => ticks.map((v) => format(v)) }],
        series: [{}, ...series.map((s) => ({ label: s.label, stroke: color(s.color), width: 1.5, points: { show: false } }))],
        hooks: { setCursor: [(u) => setAt(u.cursor.idx ?? null)] },
      }, [times, ...series.map((s) => s.values)], box.current);
      resized = new ResizeObserver(() => box.current && plot.current?.setSize({ width: box.current.clientWidth, height: HEIGHT }));
      resized.observe(box.current);
    });
    return () => { gone = true; resized?.disconnect(); plot.current?.destroy(); plot.current = null; };
  }, [labels, theme]);

  useEffect(() => { plot.current?.setData([times, ...series.map((s) => s.values)]); });

  const isLong = times.length > 1 && times.at(-1) - times[0] > 86400;
  const when = (seconds) => (isLong ? instant : clock)(seconds * 1000);
  const read = at === null || at >= times.length ? times.length - 1 : at;
  const reading = read < 0 ? 'No points yet' : `${when(times[read])}: ` +
    series.map((s) => `${s.label} ${s.values[read] === null ? 'unknown' : format(s.values[read])}`).join(', ');
  const move = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (!step || !plot.current) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(times.length - 1, read + step));
    plot.current.setCursor({ left: plot.current.valToPos(times[next], 'x'), top: HEIGHT / 2 });
    setAt(next);
  };
  const every = Math.max(1, Math.ceil(times.length / TABLE_ROWS));
  const rows = times.map((_, i) => i).filter((i) => i % every === 0 || i === times.length - 1);
  return html`<figure>
    <figcaption><h3>${title}</h3></figcaption>
    <div class="chart" ref=${box} tabindex="0" role="img" aria-label=${`${title}. ${reading}. Arrow keys move the cursor.`} onKeyDown=${move}></div>
    <p class="reading" aria-live=${at === null ? 'off' : 'polite'}>${reading}</p>
    <ul class="key">${series.map((s) => html`<li><i class=${s.class} ref=${(e) => { if (e) e.style.background = `var(${s.color})`; }}></i>${s.label}</li>`)}</ul>
    <table class="hidden"><caption>${title}</caption>
      <thead><tr><th>time</th>${series.map((s) => html`<th>${s.label}</th>`)}</tr></thead>
      <tbody>${rows.map((i) => html`<tr><td>${when(times[i])}</td>${series.map((s) =>
    html`<td>${s.values[i] === null ? 'unknown' : format(s.values[i])}</td>`)}</tr>`)}</tbody></table>
  </figure>`;
}
