import { requireTransformation } from './decisions.js';
import { compileTransformation, type Program } from './program.js';
import type { Transformation, TransformationVersion } from './state.js';
import { versionedGroup } from '../reference.js';
import { Refusal } from '../../kit/index.js';

/** A version of a transformation that a read may name, ready to be run. */
export interface ReadableTransformation {
  /** With its version: `amounts@2`. */
  readonly name: string;
  readonly program: Program;
}

const made = new WeakMap<TransformationVersion, ReadableTransformation>();

/** A transformation, or `amounts@2`, as a read names it; each version is made ready once. */
export function readable(project: string, named: string, state: Transformation): ReadableTransformation {
  const { group: transformation, version } = versionedGroup(named);
  const found = requireTransformation({ project, transformation, version }, state);
  let ready = made.get(found);
  if (!ready) made.set(found, (ready = compiled(`${transformation}@${found.version}`, found)));
  return ready;
}

/** What was registered was checked; an older release may have taken what this one refuses. */
function compiled(name: string, { inputs, outputs }: TransformationVersion): ReadableTransformation {
  const { program, faults } = compileTransformation(inputs, outputs);
  const [fault] = faults;
  if (fault) throw new Refusal('FAILED_PRECONDITION', `Transformation ${name} cannot be used any more: ${fault.field} ${fault.description}`, { reason: 'TRANSFORMATION_UNUSABLE' });
  return { name, program };
}
