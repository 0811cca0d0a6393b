/** A format with its options as text, the way settings, links and reports write it: `int4(group=128,scheme=asym)`. */
import { InputError } from '../core/errors'
import { completeOptions, type OptionValues } from '../core/options'
import { splitTop } from '../core/split-top'
import type { FormatChoice, NumberFormat } from './number-format'
import { formatById } from './registry'

/** `format` with `given` options, the rest at their defaults. Throws InputError FM-02 for options it does not have. */
export function chooseFormat(format: NumberFormat, given: OptionValues = {}): FormatChoice {
  return { format, options: completeOptions({ id: format.id, code: 'FM-02' }, format.options, given) }
}

/**
 * The format that `text` names, with its options. Throws InputError FM-01 for an id that does not exist and FM-02 for
 * options the format does not have.
 */
export function parseFormat(text: string): FormatChoice {
  const [, id, list] = /^([^()]*)(?:\((.*)\))?$/.exec(text.trim()) ?? []
  const format = formatById(id ?? text)
  const given = splitTop(list ?? '', ',').map((pair) => {
    const at = pair.indexOf('=')
    if (at > 0) return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const
    throw new InputError('FM-02', `${format.id}: expected options as KEY=VALUE, found "${pair}".`)
  })
  return chooseFormat(format, Object.fromEntries(given))
}

/** The canonical text of `choice`: options at their defaults are left out, the others stand in the format's order. */
export function formatText({ format, options }: FormatChoice): string {
  const pairs = format.options
    .filter(({ key, default: standard }) => options[key] !== standard)
    .map(({ key }) => `${key}=${options[key]}`)
  return pairs.length > 0 ? `${format.id}(${pairs.join(',')})` : format.id
}

/** The words for people: "INT4, group 128, asym". */
export function formatLabel({ format, options }: FormatChoice): string {
  const words = format.options
    .filter(({ key, default: standard }) => options[key] !== standard)
    .map(({ key }) => (key === 'scheme' ? String(options[key]) : `${key} ${options[key]}`))
  return [format.label, ...words].join(', ')
}
