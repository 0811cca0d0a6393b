/** Text and files out: aligned tables, JSON, and files that appear whole or not at all. */
import { access, constants, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FileError } from '../core/errors'
import type { Terminal } from './command'

/** What stands in a table where there is no number. */
export const ABSENT = '–'

/** A number of a table with `digits` decimals; ABSENT for one that does not exist. */
export function decimals(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined || Number.isNaN(value) ? ABSENT : value.toFixed(digits)
}

/** Columns of `rows` (the first is the heading), two spaces apart; `right` lists columns aligned to the right. */
export function alignTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const cell = (text: string, column: number) =>
    right.includes(column) ? text.padStart(widths[column]) : text.padEnd(widths[column])
  return `${rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n')}\n`
}

/**
 * Writes `data` to `path` by way of a temporary file beside it, so that a reader never sees half a file and a failure
 * leaves the old one. Throws FileError FS-02.
 */
export async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await writeFile(temporary, data)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw unwritable(path, cause)
  }
}

function unwritable(path: string, cause: unknown): FileError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new FileError('FS-02', `${path}: cannot be written (${reason}).`, { cause })
}

/**
 * Throws FileError FS-02 for the first of `paths` that is sure not to be written: before the work whose results go there.
 * Nothing is written; what is absent, and `-`, is passed over.
 */
export async function checkOutputs(...paths: readonly (string | null | undefined)[]): Promise<void> {
  for (const path of paths) {
    if (path === null || path === undefined || path === '-') continue
    const folder = dirname(path)
    try {
      if (!(await stat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`)
      await access(folder, constants.W_OK)
    } catch (cause) {
      throw unwritable(path, cause)
    }
    const existing = await stat(path).catch(() => null)
    if (existing?.isDirectory()) throw unwritable(path, new Error('it is a folder'))
  }
}

/** Writes `value` as JSON to `path`, or to standard output for `-`. Infinity and NaN become null. */
export async function writeJson(path: string, value: unknown, terminal: Terminal): Promise<void> {
  const text = `${JSON.stringify(value, null, 2)}\n`
  if (path === '-') terminal.out(text)
  else await writeWhole(path, text)
}
