/** The part of the command line of `mxscope quantize` that names a method and the rows it calibrates on. */
import { completeOptions, type OptionValues } from '../core/options'
import { optionsOf } from '../experiment/catalog'
import type { Method } from '../methods/method'
import { methodById } from '../methods/registry'
import { asUsage, UsageError } from './command'
import { methodChoices, seedOf } from './layer-arguments'
import { SYNTHETIC_OPTIONS, type SyntheticArguments, type SyntheticValues, syntheticOf } from './synthetic-arguments'

/** For the `options` of parseArgs. */
export const METHOD_OPTIONS = {
  method: { type: 'string' },
  activations: { type: 'string' },
  'activations-file': { type: 'string' },
  ...SYNTHETIC_OPTIONS,
  option: { type: 'string', multiple: true },
  seed: { type: 'string' },
} as const

/** A method, and the rows of each weight, all of which calibrate. */
export interface WeightMethod {
  readonly method: Method
  /** Complete. */
  readonly options: OptionValues
  readonly seed: number
  readonly activations: { readonly kind: 'captured'; readonly name: string } | SyntheticArguments
  readonly activationsFile: string | null
}

interface MethodValues extends SyntheticValues {
  readonly method?: string | undefined
  readonly activations?: string | undefined
  readonly 'activations-file'?: string | undefined
  readonly option?: string[] | undefined
  readonly seed?: string | undefined
}

/** What --method asks for; null without it. Throws UsageError for what is missing or stands alone. */
export function weightMethodOf(patterns: readonly string[], values: MethodValues): WeightMethod | null {
  const { method: id, activations, 'activations-file': activationsFile = null, option, seed: seedText } = values
  if (id === undefined) {
    const names = [...Object.keys(METHOD_OPTIONS)] as (keyof typeof METHOD_OPTIONS)[]
    const given = names.filter((name) => values[name] !== undefined && values[name] !== false)
    if (given.length === 0) return null
    throw new UsageError(`--${given.join(', --')}: only with --method`)
  }
  const method = asUsage(() => methodById(id))
  if (patterns.length === 0) throw new UsageError(`--method ${id}: expected --tensor PATTERN; it is for weights only`)
  if (values.synthetic === (activations !== undefined)) {
    throw new UsageError(`--method ${id}: expected either --activations NAME or --synthetic`)
  }
  if (values.synthetic && activationsFile !== null) {
    throw new UsageError('--activations-file goes with --activations, not with --synthetic')
  }
  const [choice] = methodChoices([id], option ?? [], '--method')
  const seed = seedOf(seedText)
  return {
    method,
    options: asUsage(() => completeOptions({ id: method.id, code: 'MD-03' }, optionsOf(method), choice.options)),
    seed,
    activations:
      activations === undefined ? syntheticOf(values, { tokens: null, seed }) : { kind: 'captured', name: activations },
    activationsFile,
  }
}
