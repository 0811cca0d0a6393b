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

/** Throws InputError FM-02 unless every parenthesis of `text` has its partner. */
export function checkParentheses(text: string): void {
  const [opened, closed] = ['(', ')'].map((each) => text.split(each).length - 1)
  if (opened === closed) return
  throw new InputError(
    'FM-02',
    `"${text}": expected a ")" for every "(", as in int4(group=128), found ${opened} "(" and ${closed} ")".`,
  )
}

/** The KEY=VALUE pairs between the parentheses after `id`. Throws InputError FM-02. */
function optionsIn(list: string, id: string): OptionValues {
  const pairs = splitTop(list, ',')
  if (pairs.length === 0) {
    throw new InputError('FM-02', `${id}(): expected options as KEY=VALUE in the parentheses, found none; write ${id}.`)
  }
  const given = new Map<string, string>()
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at <= 0) throw new InputError('FM-02', `${id}: expected options as KEY=VALUE, found "${pair}".`)
    const [key, value] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
    const earlier = given.get(key)
    if (earlier !== undefined) {
      throw new InputError('FM-02', `${id}.${key}: expected one value, found two, "${earlier}" and "${value}".`)
    }
    given.set(key, value)
  }
  return Object.fromEntries(given)
}

/**
 * The format that `text` names (in capitals or not), with its options. Throws InputError FM-01 for an id that does not
 * exist and FM-02 for options the format does not have, that stand twice or between broken parentheses.
 */
export function parseFormat(text: string): FormatChoice {
  const trimmed = text.trim()
  checkParentheses(trimmed)
  const [, id, list] = /^([^()]*)(?:\((.*)\))?$/.exec(trimmed) ?? []
  const format = formatById(id ?? trimmed)
  return chooseFormat(format, list === undefined ? {} : optionsIn(list, format.id))
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
