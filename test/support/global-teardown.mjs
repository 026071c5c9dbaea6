/** After the last suite: ends the shared Postgres, if any suite asked for it. */
export default () => globalThis.stopSharedPostgres();
