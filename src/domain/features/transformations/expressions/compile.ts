import { choice, functions } from './functions.js';
import { operators } from './operators.js';
import { ExpressionFault, parseExpression, type Expression } from './parse.js';
import type { ExpressionType, Typed } from './typed.js';

/** A name that an expression may use: its type, and the place of its column. */
export interface Named {
  readonly type: ExpressionType;
  readonly place: number;
}

/** A part, and whether it is the same for every row and has no null written into it. */
interface Part extends Typed {
  readonly constant: boolean;
}

/**
 * Makes an expression ready to be computed: closures over columns, never code from the text. Throws an ExpressionFault
 * for what has no meaning, and for a constant part that has no value, such as 1 / 0.
 */
export function compileExpression(text: string, names: ReadonlyMap<string, Named>): Typed {
  return compile(parseExpression(text), names);
}

function compile(expression: Expression, names: ReadonlyMap<string, Named>): Part {
  const { at } = expression;
  switch (expression.kind) {
    case 'literal': {
      const { value, type } = expression;
      return { type, constant: type !== 'NULL', evaluate: () => value };
    }
    case 'name':
      return named(expression.name, names, at);
    default: {
      const operands = expression.operands.map((operand) => compile(operand, names));
      const made = applied(expression, operands);
      const constant = operands.every((operand) => operand.constant);
      if (constant && made.evaluate([], 0) === null) throw new ExpressionFault('has no value: it divides by zero, or is not a finite number of its type', at);
      return { ...made, constant };
    }
  }
}

function named(name: string, names: ReadonlyMap<string, Named>, at: number): Part {
  const found = names.get(name);
  if (found === undefined) {
    throw new ExpressionFault(functions.has(name) ? `names ${name}, which is a function` : `names ${shown(name)}, which is neither an input nor an earlier output`, at);
  }
  const { type, place } = found;
  return { type, constant: false, evaluate: (columns, row) => columns[place]![row]! };
}

function applied(expression: Extract<Expression, { operands: unknown }>, operands: readonly Part[]): Typed {
  const { at } = expression;
  const given = operands.map(({ type }) => type).join(', ');
  switch (expression.kind) {
    case 'choice':
      return choice(operands) ?? fault(`chooses by a condition between two values of one type, not ${given}`, at);
    case 'operator': {
      const rule = operators.get(`${expression.operator} ${operands.length}`);
      if (rule === undefined) return fault(`uses ${expression.operator}, which is no operator here`, at);
      return rule(operands) ?? fault(`applies ${expression.operator} to ${given}`, at);
    }
    case 'call': {
      const called = functions.get(expression.name);
      if (called === undefined) return fault(`calls ${shown(expression.name)}, which is no function; there are ${[...functions.keys()].join(', ')}`, at);
      const { least, most, takes, rule } = called;
      if (operands.length < least || operands.length > most) return fault(`gives ${expression.name} ${operands.length} values; it takes ${least === most ? least : `${least} to ${most}`}`, at);
      return rule(operands) ?? fault(`gives ${expression.name} ${given}; it takes ${takes}`, at);
    }
  }
}

function fault(sentence: string, at: number): never {
  throw new ExpressionFault(sentence, at);
}

const shown = (name: string): string => (name.length > 63 ? `${name.slice(0, 62)}…` : name);
