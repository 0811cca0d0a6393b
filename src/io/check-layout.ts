import { FileError } from '../core/errors'
import { byteAside, byteAt, grouped, quoted, sizeText } from './number-text'
import type { TensorEntry } from './parse-tensor-entry'

/** Where the data of a file lies, and what to call the file in messages. */
export interface DataRegion {
  readonly fileName: string
  /** First byte behind the header. */
  readonly dataStart: number
  readonly fileBytes: number
}

/**
 * Checks that the tensors cover the data exactly, each byte once. Throws FileError ST-13 (offsets out of range),
 * ST-15 (overlap, hole) or ST-16 (bytes left over, or missing at the end).
 */
export function checkLayout(entries: readonly TensorEntry[], region: DataRegion): void {
  const { fileName, dataStart } = region
  const dataBytes = region.fileBytes - dataStart
  // Empty tensors come before the one that begins where they stand.
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)
  let end = 0
  let previous: TensorEntry | null = null
  for (const entry of sorted) {
    if (entry.begin < end && previous) {
      const pair = `tensors ${quoted(previous.name)} and ${quoted(entry.name)}`
      throw new FileError('ST-15', `${fileName}: ${pair} overlap at ${byteAt(dataStart + entry.begin)}.`)
    }
    if (entry.begin > end) throw gapBefore(entry, { end, previous, region })
    end = entry.end
    previous = entry
  }
  if (end === dataBytes) return
  const last = previous ? `the last tensor${end > dataBytes ? ` ${quoted(previous.name)}` : ''}` : 'the header'
  const message =
    end < dataBytes
      ? `${sizeText(dataBytes - end)} after ${last} ${byteAside(dataStart + end)}`
      : `${sizeText(end - dataBytes)} short of ${last}. The download is incomplete`
  throw new FileError('ST-16', `${fileName}: file: ${message}.`)
}

/** Offsets that jump beyond the file are out of range; offsets that jump inside it leave a hole. */
function gapBefore(
  entry: TensorEntry,
  { end, previous, region }: { end: number; previous: TensorEntry | null; region: DataRegion },
): FileError {
  const { fileName, dataStart } = region
  const dataBytes = region.fileBytes - dataStart
  const name = quoted(entry.name)
  if (entry.end > dataBytes) {
    const offsets = `data_offsets [${entry.begin}, ${entry.end}]`
    const limit = `expected at most ${grouped(dataBytes)}, the bytes behind the header`
    return new FileError('ST-13', `${fileName}: tensor ${name}: ${offsets}: ${limit}.`)
  }
  const range = `bytes ${grouped(dataStart + end)}–${grouped(dataStart + entry.begin - 1)}`
  const after = previous ? `after ${quoted(previous.name)}, ` : ''
  return new FileError('ST-15', `${fileName}: ${range} belong to no tensor (${after}before ${name}).`)
}
