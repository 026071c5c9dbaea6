import fc from 'fast-check';

/** Properties are tried on the same values in every run, so that a suite that was green stays so; `TARL_PROPERTY_SEED` tries others. */
fc.configureGlobal({ seed: Number(process.env['TARL_PROPERTY_SEED'] ?? 1) });
