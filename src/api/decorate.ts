import { Inject, type Type } from '@nestjs/common';

/** A class that Nest takes for one written by hand: named, decorated, with its dependencies injected in order. */
export function adapterClass<Dependencies extends readonly unknown[]>(name: string, decorate: ClassDecorator, tokens: { [Index in keyof Dependencies]: unknown }): Type {
  const Adapter = {
    [name]: class {
      readonly dependencies: readonly unknown[];
      constructor(...dependencies: readonly unknown[]) {
        this.dependencies = dependencies;
      }
    },
  }[name]!;
  tokens.forEach((token, index) => Inject(token as never)(Adapter, undefined, index));
  decorate(Adapter);
  return Adapter as Type;
}

/** Adds one decorated method. It is named, because guards and routers know methods by their names. */
export function addMethod(target: Type, name: string, run: (this: any, ...parameters: any[]) => unknown, method: readonly MethodDecorator[], parameters: readonly ParameterDecorator[]): void {
  Object.defineProperty(run, 'name', { value: name });
  Object.defineProperty(target.prototype, name, { value: run, writable: true, configurable: true });
  Reflect.defineMetadata('design:paramtypes', parameters.map(() => Object), target.prototype, name);
  parameters.forEach((decorate, index) => decorate(target.prototype, name, index));
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name)!;
  method.forEach((decorate) => decorate(target.prototype, name, descriptor));
}
