// Runs when the package is installed: builds the native kernels if it can. An install never fails for want of them.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const prebuilt = join(
  dirname(fileURLToPath(import.meta.url)),
  `../prebuilds/${process.platform}-${process.arch}/adjoint.node`,
);

if (existsSync(prebuilt)) {
  console.log('@adjoint/kernels-cpu: prebuilt native kernels are there.');
} else {
  try {
    // Imported here, so that whatever is wrong with the build ends in the one line below.
    const { buildNative } = await import('./native.mjs');
    console.log(`@adjoint/kernels-cpu: ${await buildNative()}`);
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    console.log(
      `@adjoint/kernels-cpu: the native kernels were not built (${reason}); WebAssembly or JavaScript runs instead. ` +
        'Install a C++ compiler and run the install again to change that.',
    );
  }
}
