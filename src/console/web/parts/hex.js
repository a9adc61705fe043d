// Bytes as people read them.
import { html } from 'preact';

// `hex`: two digits a byte. It scrolls sideways, so it takes the focus.
export const HexDump = ({ hex }) => html`<pre class="hex" tabindex="0" role="region" aria-label="Bytes in hexadecimal digits">${hexDump(hex)}</pre>`;

// Eight bytes a line, which fit a phone: offset, digits, and the printable characters.
function hexDump(hex) {
  const lines = [];
  for (let at = 0; at < hex.length; at += 16) {
    const bytes = hex.slice(at, at + 16).match(/../g) ?? [];
    const text = bytes.map((b) => parseInt(b, 16)).map((b) => b >= 32 && b < 127 ? String.fromCharCode(b) : '.').join('');
    lines.push(`${(at / 2).toString(16).padStart(4, '0')}  ${bytes.join(' ').padEnd(23)}  ${text}`);
  }
  return lines.join('\n');
}
