import { expect, test } from '@jest/globals';
import { projectsView } from '../../../src/projections/projects/view.js';
import { until } from '../../support/until.js';
import { runPlatformJob } from './job.js';
import { engineWorld } from './world.js';

test('the scheduled job removes what a rebuild left behind that died, and leaves the read model alone', async () => {
  const world = await engineWorld([]);
  const { pool } = world.database;
  const engine = world.engine([projectsView]);
  await engine.start();
  await until('the engine projects', () => engine.isOwner);
  await pool.query('create table projects__shadow (like projects)');
  await pool.query(`insert into projection_builds (view, build, version) values ('projects', gen_random_uuid(), 1)`);
  await runPlatformJob('clear-leftover-tables', { clearLeftovers: () => engine.clearLeftovers() });
  const { rows } = await pool.query(`select to_regclass('projects__shadow') as shadow, to_regclass('projects')::text as live, (select count(*)::int from projection_builds) as builds`);
  expect(rows[0]).toEqual({ shadow: null, live: 'projects', builds: 0 });
  await world.close();
});
