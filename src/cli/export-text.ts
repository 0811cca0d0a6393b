/** What the metadata of a file MXScope wrote says of its weights (docs/export.md), in words. */

type Metadata = Readonly<Record<string, string>>
type Facts = Readonly<Record<string, unknown>>

/** Followed by the weight's name; the value is JSON. */
const EXPORT_KEY = 'mxscope.export.'

const isFacts = (value: unknown): value is Facts => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The object a metadata value is; null for text that is none. */
function factsOf(text: string): Facts | null {
  try {
    const value: unknown = JSON.parse(text)
    return isFacts(value) ? value : null
  } catch {
    return null
  }
}

/** The first of `keys` that has a number or a text, with what stands before it. */
function phrase(label: string, facts: Facts, keys: readonly string[]): string[] {
  const value = keys.map((key) => facts[key]).find((each) => typeof each === 'string' || typeof each === 'number')
  return value === undefined ? [] : [`${label} ${value}`]
}

/** The page writes the pre-scale as an object, the headless command as two entries; null is off. */
function preScaleText(facts: Facts): string[] {
  const { preScale, preScaleVariant } = facts
  if (preScale === null) return ['pre-scale off']
  if (isFacts(preScale)) return [`pre-scale ${preScale.factor} ${preScale.variant}`]
  return preScale === undefined ? [] : [`pre-scale ${preScale} ${preScaleVariant}`]
}

function optionsText({ options }: Facts): string {
  if (!isFacts(options) || Object.keys(options).length === 0) return ''
  const each = Object.entries(options).map(([key, value]) => `${key}=${value}`)
  return ` (${each.join(', ')})`
}

function describe(name: string, facts: Facts, metadata: Metadata): string {
  // Choices about the weight stand by themselves where the headless command wrote the file.
  const choices = isFacts(facts.weight) ? facts.weight : facts
  const words = [
    ...phrase('method', facts, ['method']).map((text) => `${text}${optionsText(facts)}`),
    ...phrase('setting', facts, ['setting']),
    ...phrase('weight', facts, ['weightFormat']),
    ...phrase('activations', facts, ['activationFormat']),
    ...phrase('output', facts, ['outputFormat']),
    ...phrase('scale rule', choices, ['scaleRule']),
    ...phrase('rounding', choices, ['rounding']),
    ...phrase('block', choices, ['blockSize', 'group']),
    ...preScaleText(choices),
    ...phrase('seed', facts, ['seed']),
    ...phrase('layout', facts, ['layout']),
  ]
  const steps = Object.hasOwn(metadata, `mxscope.online.${name}`) ? '; activations go through steps beside it' : ''
  const branch = Object.hasOwn(metadata, `mxscope.low_rank.${name}`) ? '; a low-rank branch is beside it' : ''
  return `${name}: written by MXScope: ${words.join(', ')}${steps}${branch}`
}

/** A line for every weight of a file that `metadata` says was written by MXScope. */
export function exportText(metadata: Metadata): string[] {
  return Object.entries(metadata).flatMap(([key, text]) => {
    const facts = key.startsWith(EXPORT_KEY) ? factsOf(text) : null
    return facts ? [describe(key.slice(EXPORT_KEY.length), facts, metadata)] : []
  })
}
