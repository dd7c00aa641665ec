// Where property tests draw their cases from: fast-check takes a fresh seed for each property and names it in the message of a
// failure; ADJOINT_PROPERTY_SEED makes it the same for all, to see a failure again or, as .ci/run does, to draw the same cases in every run.

const given = process.env.ADJOINT_PROPERTY_SEED;
if (given) {
  const seed = Number(given);
  // fast-check would take the lower 32 bits of anything.
  if ((seed | 0) !== seed)
    throw new Error(`ADJOINT_PROPERTY_SEED is ${given}; give a whole number from -2147483648 to 2147483647.`);
  // Imported only now: half of the test files have no properties.
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
}
