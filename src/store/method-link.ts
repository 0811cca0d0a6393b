/** The `m` key of a link: method ids with the options that differ from their defaults, `-` for computed but hidden. */
import type { MethodEntry } from '../experiment/catalog'
import { checkOption, type OptionValues } from '../methods/options'
import { decodePart, encodePart, splitTop } from './link-text'
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

/**
 * The given options that exist, are valid and differ from their defaults, in the order of the method's own list.
 * A link may hold anything; what is not valid falls back to the default.
 */
export function distinctOptions(entry: MethodEntry, given: OptionValues): OptionValues {
  const distinct: Record<string, OptionValues[string]> = {}
  for (const spec of entry.options) {
    if (!Object.hasOwn(given, spec.key)) continue
    try {
      const value = checkOption(entry.id, spec, given[spec.key])
      if (value !== spec.default) distinct[spec.key] = value
    } catch {
      // Out of range or not a choice: the default stands.
    }
  }
  return distinct
}

function parseMethod(text: string, catalog: readonly MethodEntry[]): MethodSetup[] {
  const match = /^(-?)([^(]+)(?:\((.*)\))?$/.exec(text)
  const entry = match && catalog.find(({ id }) => id === match[2])
  if (!entry) return []
  const given = splitTop(match[3] ?? '', ',').map((pair) => {
    const at = pair.indexOf('=')
    return [decodePart(pair.slice(0, at)), decodePart(pair.slice(at + 1))]
  })
  return [{ id: entry.id, hidden: match[1] === '-', options: distinctOptions(entry, Object.fromEntries(given)) }]
}

/** The methods of a link in catalog order, the baseline always among them; null when it names none. */
export function parseMethods(text: string | undefined, catalog: readonly MethodEntry[]): readonly MethodSetup[] | null {
  if (text === undefined) return null
  const named = splitTop(text, ',').flatMap((part) => parseMethod(part, catalog))
  if (named.length === 0) return null
  return catalog.flatMap(({ id }) => {
    const found = named.find((method) => method.id === id)
    if (found) return [found]
    return id === BASELINE ? [{ id, hidden: true, options: {} }] : []
  })
}
