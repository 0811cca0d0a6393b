import type { Context } from './method'

/**
 * What `make` computes of the calibration rows at hand, or what another method has computed under `name` before; it lies in
 * the arena of the context `make` is given, which is `context` itself where nothing is shared.
 */
export function once<T>(context: Context, name: string, make: (own: Context) => Promise<T>): Promise<T> {
  return context.shared ? context.shared.get(name, (own) => make({ ...context, ...own })) : make(context)
}
