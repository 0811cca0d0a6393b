/** The part of the command line of `mxscope quantize` that names a method and the rows it calibrates on. */
import { completeOptions, type OptionValues } from '../core/options'
import { optionsOf } from '../experiment/catalog'
import type { Method } from '../methods/method'
import { METHODS, methodById } from '../methods/registry'
import { identity } from '../methods/transforms/identity'
import { asUsage, UsageError } from './command'
import { type LayerArguments, methodChoices, seedOf } from './layer-arguments'

/** For the `options` of parseArgs. */
export const METHOD_OPTIONS = {
  method: { type: 'string' },
  activations: { type: 'string' },
  'activations-file': { type: 'string' },
  option: { type: 'string', multiple: true },
  seed: { type: 'string' },
} as const

/** The methods without a change of basis, as a list: what they make of a weight needs no transform at inference. */
export const PLAIN_METHODS = METHODS.filter(({ transform }) => transform === identity)
  .map(({ id }) => id)
  .join(', ')

/** A weight as a method quantizes it. */
export interface WeightMethod {
  readonly method: Method
  /** Complete. */
  readonly options: OptionValues
  readonly seed: number
  /** The weight and its rows, all of which calibrate. */
  readonly layer: LayerArguments
  readonly activations: string
}

interface MethodValues {
  readonly method?: string | undefined
  readonly activations?: string | undefined
  readonly 'activations-file'?: string | undefined
  readonly option?: string[] | undefined
  readonly seed?: string | undefined
}

/** What --method asks for; null without it. Throws UsageError for a method that changes the basis, naming the others. */
export function weightMethodOf(file: string, names: readonly string[], values: MethodValues): WeightMethod | null {
  const { method: id, activations, 'activations-file': activationsFile = null, option, seed } = values
  if (id === undefined) {
    const given = (['activations', 'activations-file', 'option', 'seed'] as const).filter(
      (name) => values[name] !== undefined,
    )
    if (given.length === 0) return null
    throw new UsageError(`--${given.join(', --')}: only with --method`)
  }
  const method = asUsage(() => methodById(id))
  if (method.transform !== identity) {
    throw new UsageError(
      `--method ${id}: its weight needs ${method.transform.label} of the activations at inference, which a file of ` +
        `tensors cannot say; expected one of ${PLAIN_METHODS}`,
    )
  }
  if (names.length !== 1) throw new UsageError(`--method ${id}: expected one --tensor NAME, found ${names.length}`)
  if (activations === undefined) throw new UsageError(`--method ${id}: expected --activations NAME`)
  const [choice] = methodChoices([id], option ?? [], '--method')
  return {
    method,
    options: asUsage(() => completeOptions({ id: method.id, code: 'MD-03' }, optionsOf(method), choice.options)),
    seed: seedOf(seed),
    layer: {
      file,
      weight: names[0],
      activations: { kind: 'captured', tensor: activations },
      activationsFile,
      evaluation: null,
      heldOutShare: 0,
      tokens: null,
    },
    activations,
  }
}
