import type { OptionSpec, OptionValue } from '../core/options'
import type { Method } from '../methods/method'
import { METHODS } from '../methods/registry'

/** A method as a menu, a table or a link parser sees it: no function, structured-clone data. */
export interface MethodEntry {
  readonly id: string
  readonly label: string
  readonly kind: Method['kind']
  /** Where it stands in the grid: its transform, and the mitigation of its column. */
  readonly row: string
  readonly rowLabel: string
  readonly column: string
  readonly columnLabel: string
  /** A paper names this pair or reports it. */
  readonly published: boolean
  readonly summary: string
  /** Where the method is written down; transform first, then what decides the weights. */
  readonly source: string
  readonly options: readonly OptionSpec[]
}

/** Options of both halves of a method, the transform's first, with the method's own defaults. */
export function optionsOf({ transform, mitigation, defaults }: Method): readonly OptionSpec[] {
  return [...transform.options, ...mitigation.options].map((spec) => withDefault(spec, defaults[spec.key]))
}

function withDefault(spec: OptionSpec, value: OptionValue | undefined): OptionSpec {
  if (value === undefined) return spec
  return spec.kind === 'number' ? { ...spec, default: Number(value) } : { ...spec, default: String(value) }
}

function sourceOf({ transform, mitigation }: Method): string {
  const sources = [
    ...(transform.id === 'identity' ? [] : [transform.source]),
    ...(transform.id !== 'identity' && mitigation.id === 'round-to-nearest' ? [] : [mitigation.source]),
  ]
  return [...new Set(sources)].join('; ')
}

/** Every method of the registry, in menu order, as plain data. */
export const METHOD_CATALOG: readonly MethodEntry[] = METHODS.map((method) => ({
  id: method.id,
  label: method.label,
  kind: method.kind,
  row: method.transform.id,
  rowLabel: method.transform.label,
  column: method.mitigation.id,
  columnLabel: method.mitigation.label,
  published: method.published,
  summary: method.summary,
  source: sourceOf(method),
  options: optionsOf(method),
}))
