import { InputError } from './errors'

/** One option of a method or a format: what it is called, what it may be, and when one would change it. */
export type OptionSpec =
  | {
      readonly key: string
      readonly label: string
      readonly help: string
      readonly kind: 'number'
      readonly default: number
      readonly min: number
      readonly max: number
      readonly integer: boolean
    }
  | {
      readonly key: string
      readonly label: string
      readonly help: string
      readonly kind: 'choice'
      readonly default: string
      readonly choices: readonly string[]
    }

export type OptionValue = number | string
export type OptionValues = Readonly<Record<string, OptionValue>>

/** What has the options: its id in messages, and the code its errors carry (MD-03 methods, FM-02 formats). */
export interface OptionOwner {
  readonly id: string
  readonly code: string
}

/** Checks one value against its spec. Throws InputError with the owner's code, naming what is valid. */
export function checkOption({ id, code }: OptionOwner, spec: OptionSpec, value: OptionValue): OptionValue {
  if (spec.kind === 'choice') {
    if (spec.choices.includes(String(value))) return String(value)
    throw new InputError(code, `${id}.${spec.key}: expected one of ${spec.choices.join(', ')}, found "${value}".`)
  }
  const number = typeof value === 'number' ? value : value.trim() === '' ? Number.NaN : Number(value)
  const valid = Number.isFinite(number) && number >= spec.min && number <= spec.max
  if (valid && (!spec.integer || Number.isInteger(number))) return number
  const kind = spec.integer ? 'a whole number' : 'a number'
  throw new InputError(code, `${id}.${spec.key}: expected ${kind} from ${spec.min} to ${spec.max}, found "${value}".`)
}

/** Fills `given` up with defaults. Throws InputError for a key that does not exist or a value out of range. */
export function completeOptions(owner: OptionOwner, specs: readonly OptionSpec[], given: OptionValues): OptionValues {
  for (const key of Object.keys(given)) {
    if (!specs.some((spec) => spec.key === key)) {
      const known = specs.map((spec) => spec.key).join(', ') || 'none'
      throw new InputError(owner.code, `${owner.id}.${key}: no such option; the options of ${owner.id} are: ${known}.`)
    }
  }
  return Object.fromEntries(
    specs.map((spec) => [spec.key, spec.key in given ? checkOption(owner, spec, given[spec.key]) : spec.default]),
  )
}

/** A numeric option of a completed set. */
export function numberOption(values: OptionValues, key: string): number {
  return Number(values[key])
}
