// An op's attributes on one line: `axes=[0, 1] keepdim=false`.

/** Writes the attributes of an op; empty if it has none. */
export function formatAttrs(attrs: unknown): string {
  if (attrs === undefined || attrs === null) return '';
  if (typeof attrs !== 'object' || Array.isArray(attrs)) return formatValue(attrs);
  return Object.entries(attrs)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${formatValue(value)}`)
    .join(' ');
}

// Tables that an op works by are longer than anyone reads.
const longest = 8;

function formatValue(value: unknown): string {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const items = Array.from(value as ArrayLike<unknown>);
    const shown = items.slice(0, longest).map(formatValue);
    return `[${shown.join(', ')}${items.length > longest ? `, … ${items.length} in all` : ''}]`;
  }
  if (typeof value === 'function') return value.name === '' ? 'function' : value.name;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  return `{${Object.entries(value)
    .map(([key, inner]) => `${key}: ${formatValue(inner)}`)
    .join(', ')}}`;
}
