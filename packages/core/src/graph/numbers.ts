// Large numbers as people read them: 12.5 M, 3.1 MiB.

const thousands = ['', ' k', ' M', ' G', ' T', ' P'];
const kibis = [' B', ' KiB', ' MiB', ' GiB', ' TiB', ' PiB'];

/** A count in thousands, millions, …; a small one in full. */
export function formatCount(count: number): string {
  return scaled(count, 1000, thousands);
}

/** A number of bytes in KiB, MiB, …. */
export function formatBytes(bytes: number): string {
  return bytes === 0 ? '0' : scaled(bytes, 1024, kibis);
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let unit = 0;
  let rest = value;
  // 999.95 would be written as 1000.0.
  for (; rest >= base - base / 20000 && unit < units.length - 1; unit++) rest /= base;
  return `${unit === 0 ? rest : rest.toFixed(1)}${units[unit]}`;
}
