/** The `m` key of a link: method ids with the options that differ from their defaults, `-` for computed but hidden. */

import { checkOption, type OptionValues } from '../core/options'
import { splitTop } from '../core/split-top'
import type { MethodEntry } from '../experiment/catalog'
import { canonicalId } from '../methods/registry'
import { decodePart, encodePart } from './link-text'
import type { MethodSetup } from './state'
import { BASELINE } from './vocabulary'

function formatMethod({ id, hidden, options }: MethodSetup): string {
  const pairs = Object.entries(options).map(([key, value]) => `${encodePart(key)}=${encodePart(String(value))}`)
  return `${hidden ? '-' : ''}${id}${pairs.length > 0 ? `(${pairs.join(',')})` : ''}`
}

/** `rtn,-quarot,flatquant(steps=60)` */
export function formatMethods(methods: readonly MethodSetup[]): string {
  return methods.map(formatMethod).join(',')
}

/** The value of an option as the method takes it; undefined when it does not exist, is out of range or no choice. */
function validOption(entry: MethodEntry, key: string, given: OptionValues[string]): OptionValues[string] | undefined {
  const spec = entry.options.find((option) => option.key === key)
  try {
    return spec && checkOption({ id: entry.id, code: 'MD-03' }, spec, given)
  } catch {
    return undefined
  }
}

/**
 * The given options that exist, are valid and differ from their defaults, in the order of the method's own list.
 * A link may hold anything; what is not valid falls back to the default.
 */
export function distinctOptions(entry: MethodEntry, given: OptionValues): OptionValues {
  const distinct: Record<string, OptionValues[string]> = {}
  for (const { key, default: standard } of entry.options) {
    const value = Object.hasOwn(given, key) ? validOption(entry, key, given[key]) : undefined
    if (value !== undefined && value !== standard) distinct[key] = value
  }
  return distinct
}

interface ParsedMethod extends MethodSetup {
  /** False when an option does not exist or has a value it cannot have. */
  readonly clean: boolean
}

function parseMethod(text: string, catalog: readonly MethodEntry[]): ParsedMethod | null {
  const match = /^(-?)([^(]+)(?:\((.*)\))?$/.exec(text)
  const entry = match && catalog.find(({ id }) => id === canonicalId(decodePart(match[2])))
  if (!entry) return null
  const given = splitTop(match[3] ?? '', ',').map((pair) => {
    const at = pair.indexOf('=')
    return [decodePart(pair.slice(0, at)), decodePart(pair.slice(at + 1))] as const
  })
  const clean = given.every(([key, value]) => validOption(entry, key, value) !== undefined)
  return { id: entry.id, hidden: match[1] === '-', options: distinctOptions(entry, Object.fromEntries(given)), clean }
}

/** The methods of a link, and whether all it says about them could be taken. */
export interface ParsedMethods {
  /** In the order of the link, each once; the baseline is always among them. */
  readonly methods: readonly MethodSetup[]
  readonly clean: boolean
}

/** The same methods; before them the baseline, hidden, where it is not among them. */
export function withBaseline(methods: readonly MethodSetup[]): readonly MethodSetup[] {
  if (methods.some(({ id }) => id === BASELINE)) return methods
  return [{ id: BASELINE, hidden: true, options: {} }, ...methods]
}

/** What the `m` key says; null when it names no method of `catalog`. */
export function parseMethods(text: string, catalog: readonly MethodEntry[]): ParsedMethods | null {
  const parts = splitTop(text, ',').map((part) => parseMethod(part, catalog))
  const named = parts.filter((part) => part !== null)
  if (named.length === 0) return null
  const first = named.filter(({ id }, at) => named.findIndex((method) => method.id === id) === at)
  const methods = withBaseline(first.map(({ id, hidden, options }) => ({ id, hidden, options })))
  return { methods, clean: parts.every((part) => part?.clean === true) }
}
