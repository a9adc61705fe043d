// Stacked bars, drawn in SVG, with their values as titles and as a hidden table.
import { html, useRef } from 'preact';

import { compact, count, unknown } from '../lib/format.js';
import { useWidth } from '../lib/resource.js';

const HEIGHT = 190;
const LEFT = 46;
const BOTTOM = 22;

// bars: [{label, values: [..]}] with one value per key; keys: [{name, class, note}], the note being what the legend adds.
export function StackedBars({ title, unit, bars, keys }) {
  const box = useRef(null);
  const width = useWidth(box);
  const total = (bar) => bar.values.reduce((sum, value) => sum + (value ?? 0), 0);
  const top = niceTop(Math.max(...bars.map(total), 0));
  const height = (value) => (HEIGHT - BOTTOM - 8) * value / top;
  const step = (width - LEFT) / Math.max(bars.length, 1);
  const thick = Math.min(step * 0.76, 96);
  const every = Math.ceil(bars.length * 48 / (width - LEFT));
  return html`<figure ref=${box}>
    <svg class="bars" width=${width} height=${HEIGHT} role="img" aria-label=${title}>
      ${[0, 1, 2].map((i) => {
    const y = HEIGHT - BOTTOM - height(top * i / 2);
    return html`<line x1=${LEFT} x2=${width} y1=${y} y2=${y} /><text x=${LEFT - 6} y=${y + 4} text-anchor="end">${compact(top * i / 2).join('')}</text>`;
  })}
      ${bars.map((bar, i) => {
    let y = HEIGHT - BOTTOM;
    const x = LEFT + i * step;
    return html`<g><title>${`${bar.label}: ${keys.map((key, k) => `${key.name} ${figure(bar.values[k])}`).join(', ')} ${unit}`}</title>
          ${bar.values.map((value, k) => {
      const size = height(value ?? 0);
      y -= size;
      return size > 0 && html`<rect class=${keys[k].class} x=${x + (step - thick) / 2} y=${y} width=${thick} height=${Math.max(size - 0.6, 0.4)} />`;
    })}
          ${i % every === 0 && html`<text x=${x + step / 2} y=${HEIGHT - 6} text-anchor="middle">${bar.label}</text>`}</g>`;
  })}
    </svg>
    <ul class="key">${keys.map((key, k) => html`<li><i class=${key.class}></i>${key.name} ${figure(bars.reduce((sum, bar) => sum + (bar.values[k] ?? 0), 0))}${key.note && html`<span class="dim"> · ${key.note}</span>`}</li>`)}</ul>
    <div class="hidden"><table><caption>${title}, ${unit}</caption>
      <thead><tr><td></td>${keys.map((key) => html`<th>${key.name}</th>`)}</tr></thead>
      <tbody>${bars.map((bar) => html`<tr><th>${bar.label}</th>${bar.values.map((v) => html`<td>${v ?? 'unknown'}</td>`)}</tr>`)}</tbody></table></div>
  </figure>`;
}

const figure = (value) => value === null || value === undefined ? unknown : count(Math.abs(value) < 100 ? Number(value.toPrecision(3)) : Math.round(value));

function niceTop(value) {
  if (value <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].map((m) => m * size).find((m) => m >= value);
}
