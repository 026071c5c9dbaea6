import { z } from 'zod';

/** The tests for features whose values are numbers; AUTO chooses by the number of reference values. */
export const numberTests = ['AUTO', 'KOLMOGOROV_SMIRNOV', 'WASSERSTEIN', 'JENSEN_SHANNON', 'POPULATION_STABILITY', 'KULLBACK_LEIBLER', 'HELLINGER'] as const;

/** The tests for features whose values are categories. */
export const categoryTests = ['AUTO', 'CHI_SQUARED', 'Z_TEST', 'JENSEN_SHANNON', 'POPULATION_STABILITY', 'KULLBACK_LEIBLER', 'HELLINGER'] as const;

/** What may have been done to a feature; NONE where nothing could be. */
export const measuredTests = ['NONE', 'KOLMOGOROV_SMIRNOV', 'WASSERSTEIN', 'CHI_SQUARED', 'Z_TEST', 'JENSEN_SHANNON', 'POPULATION_STABILITY', 'KULLBACK_LEIBLER', 'HELLINGER'] as const;
export type MeasuredTest = (typeof measuredTests)[number];

const distance = z.number().positive().max(1000);

/** Which tests are made, and from where on a feature counts as drifted. */
export const driftTests = z
  .object({
    numbers: z.enum(numberTests).meta({ id: 'NumberTest' }).default('AUTO'),
    categories: z.enum(categoryTests).meta({ id: 'CategoryTest' }).default('AUTO'),
    pValue: z.number().gt(0).lt(1).default(0.05).describe('At most so likely by chance: Kolmogorov-Smirnov, chi-squared and z-test.'),
    wasserstein: distance.default(0.1).describe('The Wasserstein distance over the standard deviation of the reference, at least.'),
    jensenShannon: distance.default(0.1).describe('The Jensen-Shannon distance, at least.'),
    populationStability: distance.optional().describe('The population stability index, at least; without it the index alarms nobody.'),
    kullbackLeibler: distance.optional().describe('The Kullback-Leibler divergence, at least; without it the divergence alarms nobody.'),
    hellinger: distance.optional().describe('The Hellinger distance, at least; without it the distance alarms nobody.'),
  })
  .meta({ id: 'DriftTests' });
export type DriftTests = z.output<typeof driftTests>;

/** Up to so many reference values a test says how likely the difference is by chance; beyond, where it would find any difference, a distance says how large it is. */
export const mostTestedValues = 1_000;

export const standardTests: DriftTests = driftTests.parse({});
