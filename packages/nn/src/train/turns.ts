// Leaving the thread to others: timers, sockets, the page that is being shown.

const PATIENCE_MS = 10;

/** A function that, when it has been 10 ms since others had a turn, lets them have one. */
export function turnTaker(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < PATIENCE_MS) return undefined;
    return macrotask().then(() => {
      last = performance.now();
    });
  };
}

// A promise alone goes before everything else that waits. Node and browsers differ in what goes behind.
function macrotask(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => void setImmediate(resolve));
  // Timers of a page are held back by 4 ms once they follow one another; messages are not.
  const { port1, port2 } = new MessageChannel() as unknown as Record<'port1' | 'port2', Port>;
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** A message port as browsers have it; Node's types know it only as an emitter. */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}
