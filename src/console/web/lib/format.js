// How figures read. Null is unknown and never drawn as zero.

export const unknown = '–';

const plain = new Intl.NumberFormat('en');

export const count = (value) => value === null || value === undefined ? unknown : plain.format(value);

// [figure, unit] with at most three digits that change: ["1.23", "M"].
export function compact(value) {
  if (value === null || value === undefined) return [unknown, ''];
  for (const [size, unit] of [[1e9, 'bn'], [1e6, 'M'], [1e4, 'k']]) {
    if (Math.abs(value) >= size) return [digits(value / (unit === 'k' ? 1e3 : size)), unit];
  }
  return [plain.format(Math.abs(value) < 10 && value % 1 ? Number(value.toFixed(1)) : Math.round(value)), ''];
}

const digits = (value) => value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0).replace(/\.0+$/, '');

export function bytes(value) {
  if (value === null || value === undefined) return unknown;
  let size = value;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB', 'TiB']) {
    if (size < 1024 || unit === 'TiB') return unit === 'B' ? `${size} B` : `${digits(size)} ${unit}`;
    size /= 1024;
  }
}

// [figure, unit] of a duration in seconds.
export function span(seconds) {
  if (seconds === null || seconds === undefined) return [unknown, ''];
  if (seconds < 1) return [String(Math.round(seconds * 1000)), 'ms'];
  if (seconds < 10) return [seconds.toFixed(1), 's'];
  if (seconds < 120) return [String(Math.round(seconds)), 's'];
  if (seconds < 7200) return [String(Math.round(seconds / 60)), 'min'];
  if (seconds < 172800) return [String(Math.round(seconds / 3600)), 'h'];
  return [String(Math.round(seconds / 86400)), 'days'];
}
export const duration = (seconds) => span(seconds).join(' ').trim();

export const ago = (ms, now = Date.now()) => ms ? `${duration(Math.max(0, now - ms) / 1000)} ago` : unknown;

// The API's times, as milliseconds since 1970. Accepts ISO text as well.
export const toMs = (time) => typeof time === 'string' ? Date.parse(time) : time ?? null;

// UTC, as everywhere in ShopStream.
export const clock = (ms) => ms ? new Date(ms).toISOString().slice(11, 19) : unknown;
export const instant = (ms) => ms ? new Date(ms).toISOString().replace('T', ' ').replace(/\.000Z$|Z$/, '') : unknown;
export const day = (ms) => ms ? new Date(ms).toISOString().slice(0, 10) : unknown;

export const plural = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;

export const rate = (perSecond) => perSecond === null || perSecond === undefined ? unknown : `${compact(perSecond).join(' ').trim()}/s`;
