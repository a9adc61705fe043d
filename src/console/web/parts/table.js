// The table that every list uses: sorted, filtered by typing, operated by keyboard, and copied as TSV.
import { html, useMemo, useRef, useState } from 'preact';

import { count, unknown } from '../lib/format.js';
import { route, setQuery } from '../lib/route.js';

const PAGE_ROWS = 200;

// columns: [{key, title, number, long, mono, value(row) -> to sort, filter and copy, draw(row)}].
// open(row): what a click anywhere on the row does; a column draws the link or button that does the same, and arrow keys move
// between those. selected: the `rowKey` of the row that is open.
// phone: "narrow" shows the first two columns, "cards" all of them below each other.
// name: prefix of its state in the address, so that a link keeps sort order and filter.
export function DataTable({ columns, rows, rowKey, open, selected, name = '', caption, sort, filter = true, tools, empty,
  phone = open ? 'narrow' : 'cards' }) {
  const sortName = `${name}sort`;
  const filterName = `${name}filter`;
  const query = route.value.query;
  const [limit, setLimit] = useState(PAGE_ROWS);
  const body = useRef(null);
  const order = query[sortName] ?? sort ?? '';
  const text = filter ? (query[filterName] ?? '').toLowerCase() : '';
  const shown = useMemo(() => arrange(rows, columns, order, text), [rows, order, text]);
  const sortBy = (column) => setQuery({ [sortName]: order === column.key ? `-${column.key}` : column.key });

  const move = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const lines = [...body.current.querySelectorAll('tr.line')];
    lines[lines.indexOf(event.target.closest('tr')) + step]?.querySelector('a, button')?.focus();
    event.preventDefault();
  };
  const copy = () => navigator.clipboard.writeText([columns.map((c) => c.title),
    ...shown.map((row) => columns.map((c) => asText(valueOf(c, row))))].map((line) => line.join('\t')).join('\n'));

  return html`
    ${(filter || tools) && html`<div class="table-tools">
      ${filter && html`<input type="search" placeholder="Filter" aria-label=${`Filter ${caption}`} value=${query[filterName] ?? ''}
        onInput=${(e) => setQuery({ [filterName]: e.target.value })} />`}
      ${tools}<span class="dim" role="status">${text ? `${count(shown.length)} of ${count(rows.length)}` : ''}</span>
      ${navigator.clipboard && rows.length > 0 && html`<button class="button quiet" onClick=${copy}>Copy as TSV</button>`}
    </div>`}
    <div class="table-scroll" tabindex=${columns.length > 5 ? 0 : undefined} role="region" aria-label=${`Table: ${caption}`}><table class=${phone}>
      <caption class="hidden">${caption}</caption>
      <thead><tr>${columns.map((c) => html`
        <th scope="col" class=${c.number ? 'number' : ''} aria-sort=${ariaSort(order, c.key)}>
          ${c.sortable === false ? c.title : html`<button onClick=${() => sortBy(c)}>${c.title}</button>`}</th>`)}</tr></thead>
      <tbody ref=${body} onKeyDown=${open && move}>${shown.slice(0, limit).map((row) => html`
        <tr key=${rowKey(row)} class="line ${open ? 'can-open' : ''}"
            aria-selected=${open ? String(selected !== undefined && rowKey(row) === selected) : undefined}
            onClick=${open && ((e) => e.target.closest('a, button') || open(row))}>
          ${columns.map((c) => html`<td data-title=${c.title} class=${[c.number && 'number', c.long && 'long', c.mono && 'mono'].filter(Boolean).join(' ')}>
            ${c.draw ? c.draw(row) : asText(valueOf(c, row), unknown)}</td>`)}</tr>`)}</tbody>
    </table></div>
    ${shown.length === 0 && html`<p class="loading">${text ? `Nothing matches "${text}".` : empty ?? 'None.'}</p>`}
    ${shown.length > limit && html`<p><button class="button" onClick=${() => setLimit(limit + PAGE_ROWS)}>
      Show ${count(Math.min(PAGE_ROWS, shown.length - limit))} more of ${count(shown.length)}</button></p>`}`;
}

const valueOf = (column, row) => column.value ? column.value(row) : row[column.key];

function arrange(rows, columns, order, text) {
  const found = text
    ? rows.filter((row) => columns.some((c) => asText(valueOf(c, row)).toLowerCase().includes(text)))
    : rows;
  const column = columns.find((c) => c.key === order.replace(/^-/, ''));
  if (!column) return found;
  const sign = order.startsWith('-') ? -1 : 1;
  return [...found].sort((a, b) => compare(valueOf(column, a), valueOf(column, b), sign));
}

// Unknown values come last, in both directions.
function compare(a, b, sign) {
  const missing = (value) => value === null || value === undefined;
  if (missing(a) || missing(b)) return missing(a) - missing(b);
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
  return sign * String(a).localeCompare(String(b), 'en', { numeric: true });
}

const asText = (value, absent = '') =>
  value === null || value === undefined ? absent : typeof value === 'object' ? JSON.stringify(value) : String(value);

const ariaSort = (order, key) => order === key ? 'ascending' : order === `-${key}` ? 'descending' : 'none';
