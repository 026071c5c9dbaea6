export * from './decider.js';
export * from './events.js';
export * from './names.js';
export * from './passing.js';
export * from './refusal.js';
export * from './same.js';
export * from './violations.js';
export * from './words.js';
