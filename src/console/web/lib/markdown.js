// The part of Markdown that our own documents use: headings, paragraphs, lists, tables, code, bold text, links.
import { html } from 'preact';

// As GitHub makes them.
export const anchorOf = (title) => title.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-');

// Blocks of the text: {type, ...}.
export function blocksOf(text) {
  const lines = text.split('\n');
  const blocks = [];
  for (let i = 0; i < lines.length;) {
    const line = lines[i];
    const heading = /^(#+) (.*)/.exec(line);
    const item = /^(- |\d+\. )/.exec(line);
    const indented = (from, spaces) => {
      let end = from;
      while (end < lines.length && (lines[end] === '' || lines[end].startsWith(spaces))) end += 1;
      return lines.slice(from, end);
    };
    if (line.trim() === '') {
      i += 1;
    } else if (heading) {
      blocks.push({ type: 'heading', level: heading[1].length, text: heading[2] });
      i += 1;
    } else if (item) {
      const { length } = item[1];
      const rest = indented(i + 1, ' '.repeat(length));
      blocks.push({ type: 'item', list: item[1] === '- ' ? 'ul' : 'ol', blocks: blocksOf([line, ...rest].map((part) => part.slice(length)).join('\n')) });
      i += 1 + rest.length;
    } else if (line.startsWith('    ')) {
      const code = indented(i, '    ');
      blocks.push({ type: 'code', text: code.map((part) => part.slice(4)).join('\n').trimEnd() });
      i += code.length;
    } else if (line.startsWith('|')) {
      let end = i;
      while (lines[end]?.startsWith('|')) end += 1;
      const rows = lines.slice(i, end).map((row) => row.split('|').slice(1, -1).map((cell) => cell.trim()));
      blocks.push({ type: 'table', head: rows[0], rows: rows.slice(2) });
      i = end;
    } else {
      let end = i;
      while (lines[end] && !/^(#+ |- |\d+\. |\||    )/.test(lines[end])) end += 1;
      blocks.push({ type: 'text', text: lines.slice(i, end).map((part) => part.trim()).join(' ') });
      i = end;
    }
  }
  return blocks;
}

// `code`, **bold** and links; a link to another document is plain text, because the console does not have it.
export const Inline = ({ text }) => text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)]+\))/).map((piece) => {
  const link = /^\[(.+)\]\((.+)\)$/.exec(piece);
  if (link) return link[2].startsWith('#') ? html`<a href=${link[2]}><${Inline} text=${link[1]} /></a>` : html`<${Inline} text=${link[1]} />`;
  if (piece.startsWith('**')) return html`<b>${piece.slice(2, -2)}</b>`;
  return piece.startsWith('`') ? html`<code>${piece.slice(1, -1)}</code>` : piece;
});

export const Blocks = ({ blocks }) => blocks.map((block, i) => {
  if (block.type === 'heading') return html`<${`h${block.level}`} id=${anchorOf(block.text)} tabindex="-1"><${Inline} text=${block.text} /><//>`;
  if (block.type === 'code') return html`<pre tabindex="0">${block.text}</pre>`;
  if (block.type === 'text') return html`<p><${Inline} text=${block.text} /></p>`;
  if (block.type === 'table') {
    return html`<div class="table-scroll" tabindex="0" role="region" aria-label="Table"><table>
      <thead><tr>${block.head.map((cell) => html`<th scope="col"><${Inline} text=${cell} /></th>`)}</tr></thead>
      <tbody>${block.rows.map((row) => html`<tr>${row.map((cell) => html`<td><${Inline} text=${cell} /></td>`)}</tr>`)}</tbody></table></div>`;
  }
  if (blocks[i - 1]?.type === 'item') return null;  // With the first of its list.
  const after = blocks.findIndex((other, j) => j > i && other.type !== 'item');
  return html`<${block.list}>${blocks.slice(i, after < 0 ? undefined : after).map((item) => html`<li><${Blocks} blocks=${item.blocks} /></li>`)}<//>`;
});
