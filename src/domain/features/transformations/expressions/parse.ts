import jsep from 'jsep';
import { int64Of } from '../../int64.js';
import type { FeatureValue } from '../../values.js';

/** What is wrong with an expression, and the character (from 1) at which it is. */
export class ExpressionFault extends Error {
  constructor(
    readonly sentence: string,
    readonly at: number,
  ) {
    super(`at character ${at}: ${sentence}`);
  }
}

/** An expression taken apart; `at` is where it begins, from 1. */
export type Expression = { readonly at: number } & (
  | { readonly kind: 'literal'; readonly value: FeatureValue | null; readonly type: 'INT64' | 'DOUBLE' | 'STRING' | 'BOOL' | 'NULL' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly operands: readonly Expression[] }
  /** Of one or two operands. */
  | { readonly kind: 'operator'; readonly operator: string; readonly operands: readonly Expression[] }
  | { readonly kind: 'choice'; readonly operands: readonly [condition: Expression, then: Expression, otherwise: Expression] }
);

export const longestExpression = 1000;
/** How deep parts may stand within parts, and how many there may be. */
const deepest = 32;
const mostParts = 200;

type Parsed = jsep.CoreExpression & { at?: number };

// The library's class is not in its types.
const { Jsep } = jsep as unknown as { Jsep: new (text: string) => { index: number; gobbleSpaces(): void; gobbleToken(): Parsed | false; parse(): Parsed } };

/** The library's parser, which also notes where each part begins and how deep it stands. */
class Parser extends Jsep {
  private depth = 0;

  override gobbleToken(): Parsed | false {
    this.gobbleSpaces();
    const at = this.index + 1;
    if (++this.depth > 2 * deepest) throw new ExpressionFault(`is nested deeper than ${deepest} levels`, at);
    const node = super.gobbleToken();
    this.depth--;
    if (node) node.at ??= at;
    return node;
  }
}

/** Takes an expression apart. Throws an ExpressionFault for whatever is no expression of names, values, operators and functions, or is too large. */
export function parseExpression(text: string): Expression {
  if (text.length > longestExpression) throw new ExpressionFault(`is longer than ${longestExpression} characters`, longestExpression + 1);
  return new Reading(parsed(text)).expression;
}

function parsed(text: string): Parsed {
  try {
    return new Parser(text).parse();
  } catch (error) {
    if (error instanceof ExpressionFault) throw error;
    const { description, index } = error as { description?: string; index?: number };
    if (description === undefined) throw error;
    throw new ExpressionFault(`cannot be read: ${description}`, (index ?? 0) + 1);
  }
}

/** Makes the parser's tree ours, and takes nothing over that is not known here. */
class Reading {
  private parts = 0;
  readonly expression: Expression;

  constructor(root: Parsed) {
    this.expression = this.read(root, 1);
  }

  private read(node: Parsed, depth: number): Expression {
    const at = startOf(node);
    if (depth > deepest) throw new ExpressionFault(`is nested deeper than ${deepest} levels`, at);
    if (++this.parts > mostParts) throw new ExpressionFault(`has more than ${mostParts} parts`, at);
    const inner = (...nodes: jsep.Expression[]) => nodes.map((one) => this.read(one as Parsed, depth + 1));
    switch (node.type) {
      case 'Literal':
        return { at, kind: 'literal', ...literal(node, at) };
      case 'Identifier':
        return { at, kind: 'name', name: node.name };
      case 'UnaryExpression':
        return { at, kind: 'operator', operator: node.operator, operands: inner(node.argument) };
      case 'BinaryExpression':
        return { at, kind: 'operator', operator: node.operator, operands: inner(node.left, node.right) };
      case 'ConditionalExpression':
        return { at, kind: 'choice', operands: inner(node.test, node.consequent, node.alternate) as never };
      case 'CallExpression':
        if (node.callee.type !== 'Identifier') throw new ExpressionFault('calls something that is no function', at);
        return { at, kind: 'call', name: (node.callee as jsep.Identifier).name, operands: inner(...node.arguments) };
      case 'Compound':
        throw new ExpressionFault(node.body.length === 0 ? 'is empty' : 'is more than one expression', node.body[1] ? startOf(node.body[1] as Parsed) : 1);
      default:
        throw new ExpressionFault('takes values, names, operators and functions alone', at);
    }
  }
}

function literal({ value, raw }: jsep.Literal, at: number): Pick<Extract<Expression, { kind: 'literal' }>, 'value' | 'type'> {
  switch (typeof value) {
    case 'boolean':
      return { value, type: 'BOOL' };
    case 'string':
      if (!value.isWellFormed()) throw new ExpressionFault('has a string of broken characters', at);
      return { value, type: 'STRING' };
    case 'number':
      return number(raw, value, at);
    default:
      return { value: null, type: 'NULL' };
  }
}

/** Digits alone are a whole number; with a point or an exponent it is a double. */
function number(raw: string, value: number, at: number): { value: number | string; type: 'INT64' | 'DOUBLE' } {
  if (/^\d+$/.test(raw)) {
    const whole = int64Of(BigInt(raw));
    if (whole !== undefined) return { value: whole, type: 'INT64' };
    throw new ExpressionFault('has a whole number beyond 64 bits', at);
  }
  if (Number.isFinite(value)) return { value, type: 'DOUBLE' };
  throw new ExpressionFault('has a number that is not finite', at);
}

/** The parser does not pass operators through the place where it notes the beginning. */
function startOf(node: Parsed): number {
  const first = (node as { left?: Parsed; test?: Parsed }).left ?? (node as { test?: Parsed }).test;
  return node.at ?? (first ? startOf(first) : 1);
}
