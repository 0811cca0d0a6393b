import type { OptionSpec } from '../core/options'
import type { Method } from '../methods/method'
import { METHODS } from '../methods/registry'

/** A method as a menu, a table or a link parser sees it: no function, structured-clone data. */
export interface MethodEntry {
  readonly id: string
  readonly label: string
  readonly kind: Method['kind']
  readonly summary: string
  /** Where the method is written down; transform first, then what decides the weights. */
  readonly source: string
  readonly options: readonly OptionSpec[]
}

/** Options of both halves of a method, the transform's first. */
export function optionsOf(method: Method): readonly OptionSpec[] {
  return [...method.transform.options, ...method.mitigation.options]
}

function sourceOf({ transform, mitigation }: Method): string {
  return transform.id === 'identity' ? mitigation.source : transform.source
}

/** Every method of the registry, in menu order, as plain data. */
export const METHOD_CATALOG: readonly MethodEntry[] = METHODS.map((method) => ({
  id: method.id,
  label: method.label,
  kind: method.kind,
  summary: method.summary,
  source: sourceOf(method),
  options: optionsOf(method),
}))
