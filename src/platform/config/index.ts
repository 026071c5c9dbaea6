export { settings, variableOf, type Config } from './config.js';
export { readConfig } from './read-config.js';
