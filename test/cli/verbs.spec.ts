import { describe, expect, test } from '@jest/globals';
import { catalogue, type Domain } from '../../src/catalogue.js';
import { verbsOf } from '../../src/cli/derived/verbs.js';

const wordsOf = (...names: string[]) => verbsOf({ commands: names.map((name) => ({ name })), queries: [] } as unknown as Domain).map(({ verb }) => verb);

describe('the words of a domain on the command line', () => {
  test('leave out the noun that goes without saying', () => {
    expect(wordsOf('CreateFeatureGroup', 'RegisterFeature', 'ChangeFeatureGroupTtl', 'ListFeatureGroups')).toEqual(['create', 'register', 'change-ttl', 'list']);
  });

  test('stay as they are when a definition is added', () => {
    expect(wordsOf('CreateFeatureGroup', 'GetFeatureGroup', 'CreateFeature', 'CreateModel')).toEqual(['create', 'get', 'create-feature', 'create-model']);
  });

  test('are different within each domain of the catalogue', () => {
    for (const domain of catalogue) {
      const words = verbsOf(domain).map(({ verb }) => verb);
      expect(new Set(words).size).toBe(words.length);
    }
  });
});
