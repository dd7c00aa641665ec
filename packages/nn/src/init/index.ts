// Initialisers: they fill a tensor in place and give it back.

export * from './fill.ts';
export * from './matrices.ts';
export * from './scale.ts';
