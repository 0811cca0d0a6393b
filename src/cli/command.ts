/** What every command of the headless program shares: its shape, usage errors, argument helpers. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { InputError } from '../core/errors'
import { splitTop } from '../core/split-top'

/** Exit codes. 70 is our own mistake (sysexits' EX_SOFTWARE). */
export const EXIT = { done: 0, input: 1, usage: 2, noGpu: 3, bug: 70 } as const

/** A command line that cannot be understood; ends with exit code 2 and a pointer to --help. */
export class UsageError extends Error {}

/** Where a command writes: results to `out`, progress and messages to `note`. */
export interface Terminal {
  /** Text for standard output, as it is. */
  out(text: string): void
  /** One line for standard error. */
  note(line: string): void
}

/** A loaded command. `run` returns the exit code; it throws UsageError, MxError or our own bugs. */
export interface Command {
  readonly help: string
  run(args: readonly string[], terminal: Terminal): Promise<number>
}

/** Strict parsing (Node's default): an unknown option, a missing value or a stray word is a UsageError. */
export function parse<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new UsageError(dashedValue(message, config.args ?? []) ?? message.split('. ')[0])
  }
}

/** What to say where Node takes the value of an option for another option, since it begins with a dash; null elsewhere. */
function dashedValue(message: string, args: readonly string[]): string | null {
  const [, option] = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument is ambiguous/.exec(message) ?? []
  if (option === undefined) return null
  const value = args[args.indexOf(option) + 1]
  return `${option}: expected a value, found "${value}"; one that begins with a dash is written ${option}=${value}`
}

/** Runs a check of what stands on the command line: an InputError it throws is a wrong usage. */
export function asUsage<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw error instanceof InputError ? new UsageError(error.message) : error
  }
}

/** `--name VALUE` as a whole number in [min, max]; `fallback` when absent. */
export function wholeNumber(
  name: string,
  text: string | undefined,
  range: { readonly min: number; readonly max: number; readonly fallback: number },
): number {
  if (text === undefined) return range.fallback
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < range.min || value > range.max) {
    throw new UsageError(`--${name}: expected a whole number from ${range.min} to ${range.max}, found "${text}"`)
  }
  return value
}

/** `--name VALUE` as one of `choices`; `fallback` when absent. */
export function oneOf<T extends string>(
  name: string,
  text: string | undefined,
  { choices, fallback }: { readonly choices: readonly T[]; readonly fallback: T },
): T {
  if (text === undefined) return fallback
  const choice = choices.find((candidate) => candidate === text)
  if (choice === undefined) throw new UsageError(`--${name}: expected one of ${choices.join(', ')}, found "${text}"`)
  return choice
}

/** Words of a comma-separated value, without empty ones; commas inside parentheses belong to their word. */
export function listOf(text: string): string[] {
  return splitTop(text, ',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}
