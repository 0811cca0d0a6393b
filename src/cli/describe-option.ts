import type { OptionSpec } from '../core/options'

/** One line of a list of options: key, default, range, when one would change it. */
export function describeOption(spec: OptionSpec): string {
  const range = spec.kind === 'choice' ? spec.choices.join(' | ') : `${spec.min} … ${spec.max}`
  return `    ${spec.key} = ${spec.default} (${range}): ${spec.help}\n`
}
