import { measureFeatureDrift } from './drift-query.js';
import { getFeatureStatistics } from './statistics-query.js';

/** What can be known of the values of features. */
export const monitoringQueries = [getFeatureStatistics, measureFeatureDrift] as const;
