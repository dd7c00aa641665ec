// Before the package is packed: dist/ is built afresh, and the headers of Node-API go along, so that who installs the package
// can build the native kernels without a dependency or a download.

import { cpSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json'));

rmSync(join(root, 'dist'), { recursive: true, force: true });
rmSync(join(root, 'include'), { recursive: true, force: true });
for (const file of readdirSync(join(headers, 'include')).filter((name) => name.endsWith('.h')))
  cpSync(join(headers, 'include', file), join(root, 'include', file));
cpSync(join(headers, 'LICENSE'), join(root, 'include', 'COPYING'));
