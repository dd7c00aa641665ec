// TensorFlow.js starts its threads from blobs, which Node's workers do not take, and with source text that has lost the names
// of the modules it requires. Here blobs become files, and the names globals; in the main thread and, by the first line
// of each file, in its workers. Without this it has one thread in Node, and the comparison on four would be unfair to it.

const { mkdtempSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const { join } = require('node:path');
const { isMainThread, threadId } = require('node:worker_threads');

// It takes half of the processors that it sees at the most; so it sees twice as many.
const processors = os.cpus();
os.cpus = () => [...processors, ...processors];

// Workers inherit the environment, so all write into one folder, and the main thread removes it.
process.env.BENCH_TFJS_FOLDER ??= mkdtempSync(join(os.tmpdir(), 'tfjs-'));
const folder = process.env.BENCH_TFJS_FOLDER;
if (isMainThread) process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let written = 0;

globalThis.Blob = class {
  constructor(parts) {
    this.parts = parts;
  }
};
URL.createObjectURL = ({ parts }) => {
  const path = join(folder, `script-${threadId}-${written++}.cjs`);
  writeFileSync(path, `require(${JSON.stringify(__filename)});${parts.join('')}`);
  return path;
};
Object.assign(globalThis, {
  commonjsGlobal: globalThis,
  require$$0: require('node:fs'),
  require$$1: require('node:path'),
  require$$3: require('node:perf_hooks'),
  require$$4: os,
});
