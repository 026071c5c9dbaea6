import { driftCheckQueries } from './checks-queries.js';
import { measureFeatureDrift } from './drift-query.js';
import { expectationQueries } from './expectation-queries.js';
import { getFeatureStatistics } from './statistics-query.js';
import { getFeatureBaseline, getFeatureMonitoring } from './watched-queries.js';

/** What can be known of the values of features. */
export const monitoringQueries = [...driftCheckQueries, getFeatureStatistics, measureFeatureDrift, getFeatureMonitoring, getFeatureBaseline, ...expectationQueries] as const;
