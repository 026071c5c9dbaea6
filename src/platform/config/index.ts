export { roles, settings, variableOf, type Config, type Role } from './config.js';
export { readConfig } from './read-config.js';
