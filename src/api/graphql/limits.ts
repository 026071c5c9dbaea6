import { Kind, type DocumentNode, type FieldNode, type FragmentDefinitionNode, type SelectionSetNode } from 'graphql';
import { Refusal } from '../../domain/kit/index.js';

/** How much one GraphQL request may ask for. */
export const limits = { depth: 12, aliases: 60, rootFields: 60, cost: 20_000, batch: 10, tokens: 20_000 };

/** What a document asks for. `cost` is about the number of values in the largest answer, given the variables. */
export interface Weight {
  readonly depth: number;
  readonly aliases: number;
  readonly rootFields: number;
  /** How many commands one of its operations gives. */
  readonly commands: number;
  readonly introspects: boolean;
  cost(variables: Readonly<Record<string, unknown>>): number;
}

const weights = new WeakMap<DocumentNode, Weight>();

/** Weighs a document; the same parsed document is weighed once. Fragments count wherever they are spread. */
export function weigh(document: DocumentNode): Weight {
  let weight = weights.get(document);
  if (!weight) weights.set(document, (weight = weighAnew(document)));
  return weight;
}

/** Refuses a document that asks for too much whatever its variables; cheap, so it runs before validation, which is not. */
export function refuseTooHeavy(document: DocumentNode): void {
  const { depth, aliases, rootFields } = weigh(document);
  if (depth > limits.depth) throw tooMuch('DEPTH', `The query is ${depth} levels deep; ${limits.depth} are allowed`);
  if (aliases > limits.aliases) throw tooMuch('ALIASES', `The query has ${aliases} aliases; ${limits.aliases} are allowed`);
  if (rootFields > limits.rootFields) throw tooMuch('FIELDS', `The query asks ${rootFields} questions at once; ${limits.rootFields} are allowed`);
}

/** Refuses a document whose answer would be too large with these variables. */
export function refuseTooCostly(document: DocumentNode, variables: Readonly<Record<string, unknown>> = {}): void {
  const cost = weigh(document).cost(variables);
  if (cost > limits.cost) throw tooMuch('COST', `The answer could hold ${cost} values; ${limits.cost} are allowed, so ask for fewer fields or a smaller "first"`);
}

const tooMuch = (limit: string, message: string) => new Refusal('INVALID_ARGUMENT', message, { reason: `QUERY_${limit}_LIMIT` });

/** A part of a document; its numbers are finite sums, because a fragment is weighed once however often it is spread. */
interface Part {
  readonly depth: number;
  readonly aliases: number;
  readonly fields: number;
  readonly cost: (variables: Readonly<Record<string, unknown>>) => number;
}

function weighAnew(document: DocumentNode): Weight {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const weighed = new Map<string, Part>();
  const empty: Part = { depth: 0, aliases: 0, fields: 0, cost: () => 0 };
  let introspects = false;

  function ofSet(set: SelectionSetNode | undefined): Part {
    const parts = (set?.selections ?? []).map((selection): Part => {
      switch (selection.kind) {
        case Kind.FIELD:
          return ofField(selection);
        case Kind.INLINE_FRAGMENT:
          return ofSet(selection.selectionSet);
        case Kind.FRAGMENT_SPREAD:
          return ofFragment(selection.name.value);
      }
    });
    return {
      depth: parts.reduce((deepest, part) => Math.max(deepest, part.depth), 0),
      aliases: parts.reduce((sum, part) => sum + part.aliases, 0),
      fields: parts.reduce((sum, part) => sum + part.fields, 0),
      cost: (variables) => parts.reduce((sum, part) => sum + part.cost(variables), 0),
    };
  }

  function ofField(field: FieldNode): Part {
    const aliases = field.alias ? 1 : 0;
    if (field.name.value === '__schema' || field.name.value === '__type') {
      // Who may look at the schema may look at all of it: its depth is the schema's own.
      introspects = true;
      return { depth: 1, aliases, fields: 1, cost: () => 1 };
    }
    const inside = ofSet(field.selectionSet);
    return { depth: 1 + inside.depth, aliases: aliases + inside.aliases, fields: 1, cost: (variables) => 1 + timesOf(field, variables) * inside.cost(variables) };
  }

  function ofFragment(name: string): Part {
    const known = weighed.get(name);
    if (known) return known;
    // Holds while the fragment is looked at, so that one that spreads itself ends here; validation refuses it afterwards.
    weighed.set(name, empty);
    const part = ofSet(fragments.get(name)?.selectionSet);
    weighed.set(name, part);
    return part;
  }

  const operations = document.definitions.flatMap((definition) => (definition.kind === Kind.OPERATION_DEFINITION ? [ofSet(definition.selectionSet)] : []));
  return {
    depth: Math.max(0, ...operations.map(({ depth }) => depth)),
    aliases: operations.reduce((sum, { aliases }) => sum + aliases, 0),
    rootFields: operations.reduce((sum, { fields }) => sum + fields, 0),
    commands: Math.max(0, ...document.definitions.map((definition) => (definition.kind === Kind.OPERATION_DEFINITION && definition.operation === 'mutation' ? ofSet(definition.selectionSet).fields : 0))),
    introspects,
    cost: (variables) => operations.reduce((sum, { cost }) => sum + cost(variables), 0),
  };
}

/** How many items a field gives at most: its `first`, or the default where a connection is asked for without one. */
function timesOf(field: FieldNode, variables: Readonly<Record<string, unknown>>): number {
  const first = field.arguments?.find(({ name }) => name.value === 'first')?.value;
  if (first?.kind === Kind.INT) return Math.max(1, Number(first.value));
  if (first?.kind === Kind.VARIABLE) return Math.max(1, Number(variables[first.name.value] ?? 100) || 1);
  const isConnection = field.selectionSet?.selections.some((selection) => selection.kind === Kind.FIELD && ['edges', 'nodes'].includes(selection.name.value));
  return isConnection ? 100 : 1;
}
