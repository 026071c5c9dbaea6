import { expect, test } from '@jest/globals';
import { Environment } from '../../../../../src/platform/eventstore/embedded/store/environment.js';
import { MappedMemory } from '../../../../../src/platform/eventstore/embedded/store/mapped-memory.js';
import { temporaryFolder } from '../filled.js';

const VALUES = 3_000;

test('pages that stay although the data file was let go of, because another file of this process is mapped, are not too much again', async () => {
  const folder = await temporaryFolder();
  const another = Environment.open(folder.path, false);
  try {
    await another.root.batch(() => {
      for (let n = 1; n <= VALUES; n++) void another.log.put(n, Buffer.alloc(16_000, n));
    });
    await another.remap();
    let told = 0;
    const mapped = new MappedMemory(() => told++);
    mapped.look();
    expect(told).toBe(0);
    for (let n = 1; n <= VALUES; n++) another.log.getBinary(n);
    mapped.look();
    expect(told).toBe(1);
    mapped.noteRemapped();
    mapped.look();
    expect(told).toBe(1);
  } finally {
    await another.close();
    await folder.remove();
  }
});
