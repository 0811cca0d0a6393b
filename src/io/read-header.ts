import { FileError } from '../core/errors'
import type { ByteSource } from './byte-source'
import { checkLayout } from './check-layout'
import { findInvalidUtf8 } from './find-invalid-utf8'
import { byteAt, grouped, hexByte } from './number-text'
import { parseHeaderJson } from './parse-header-json'
import { parseTensorEntry } from './parse-tensor-entry'
import { readBytes } from './read-bytes'
import { SNIFF_BYTES, sniffKind } from './sniff-kind'
import type { StoredTensor } from './tensor-view'

/** Longest header accepted, that of the reference reader (safetensors, src/tensor.rs). */
export const MAX_HEADER_BYTES = 100_000_000

/** Bytes of the header length, a little-endian u64 at the start of the file. */
const LENGTH_BYTES = 8

/** What a safetensors file says about itself. Tensors in the header's order. */
export interface Header {
  readonly tensors: readonly StoredTensor[]
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Reads and checks the header of a safetensors file: 8 bytes, then the header, nothing else (the first bytes once
 * more when they are not a header, to say what the file is instead). Memory is bounded by the header's own size.
 *
 * Throws FileError: ST-01 too short, ST-02 another kind of file, ST-03 header length, ST-04 header beyond the file,
 * ST-05 not an object, ST-06 UTF-8, ST-07 JSON, ST-08 names, ST-09 metadata, ST-10 … ST-14 one tensor, ST-15 and
 * ST-16 layout, IO-01 unreadable. Every message is listed in docs/errors.md.
 */
export async function readHeader(source: ByteSource): Promise<Header> {
  const bytes = await readHeaderBytes(source)
  const invalid = findInvalidUtf8(bytes)
  if (invalid) {
    const found = [...invalid.bytes].map(hexByte).join(' ')
    const where = byteAt(LENGTH_BYTES + invalid.at)
    throw new FileError('ST-06', `${source.name}: ${where}: not valid UTF-8 (${found}).`)
  }
  const text = { bytes, fileOffset: LENGTH_BYTES, fileName: source.name }
  const { entries, metadata } = parseHeaderJson(text)
  const dataStart = LENGTH_BYTES + bytes.length
  const tensors = entries.map((entry) => parseTensorEntry(text, entry))
  checkLayout(tensors, { fileName: source.name, dataStart, fileBytes: source.byteLength })
  return {
    tensors: tensors.map(({ name, dtype, shape, begin, end }) => {
      return { name, dtype, shape, byteOffset: dataStart + begin, byteLength: end - begin }
    }),
    // fromEntries defines properties instead of assigning them, so a key "__proto__" is only a key.
    metadata: Object.fromEntries(metadata),
  }
}

async function readHeaderBytes(source: ByteSource): Promise<Uint8Array> {
  const fileBytes = source.byteLength
  if (fileBytes < LENGTH_BYTES) {
    const empty = fileBytes === 0 ? ' The file is empty.' : ''
    const message = `expected at least 8 bytes for the header length, found ${fileBytes}.${empty}`
    throw new FileError('ST-01', `${source.name}: ${message}`)
  }
  const start = await readBytes(source, 0, LENGTH_BYTES)
  const length = new DataView(start).getBigUint64(0, true)
  const lengthError = checkHeaderLength(source, length, startText(new Uint8Array(start)))
  if (lengthError) throw (await otherKind(source, length)) ?? lengthError
  const bytes = new Uint8Array(await readBytes(source, LENGTH_BYTES, LENGTH_BYTES + Number(length)))
  if (bytes[0] !== 0x7b) {
    const found = `found ${hexByte(bytes[0])}${bytes[0] > 0x20 && bytes[0] < 0x7f ? ` "${String.fromCharCode(bytes[0])}"` : ''}`
    const notObject = new FileError('ST-05', `${source.name}: byte 8: expected 0x7B "{", ${found}.`)
    throw (await otherKind(source, length)) ?? notObject
  }
  return bytes
}

/** What stands where the header length should be, if it is plain text: ": it starts with the text …". */
function startText(bytes: Uint8Array): string {
  const isText = bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d))
  return isText ? `: it starts with the text ${JSON.stringify(String.fromCharCode(...bytes))}` : ''
}

function checkHeaderLength(source: ByteSource, length: bigint, seen: string): FileError | null {
  if (length > BigInt(MAX_HEADER_BYTES)) {
    return new FileError(
      'ST-03',
      `${source.name}: this does not look like a safetensors file${seen} (header length at bytes 0–7: expected at most ${grouped(MAX_HEADER_BYTES)}, found ${grouped(length)}).`,
    )
  }
  if (length < 2n) {
    const message = `header length at bytes 0–7: expected at least 2 (for "{}"), found ${length}.`
    return new FileError('ST-03', `${source.name}: ${message}`)
  }
  const end = LENGTH_BYTES + Number(length)
  if (end <= source.byteLength) return null
  const declared = `bytes 8–${grouped(end - 1)} declared, file ends at ${byteAt(source.byteLength)}`
  return new FileError('ST-04', `${source.name}: header: ${declared}. The download is incomplete.`)
}

/** The error that names another kind of file, unless the first bytes could begin a safetensors file. */
async function otherKind(source: ByteSource, length: bigint): Promise<FileError | null> {
  const head = new Uint8Array(await readBytes(source, 0, Math.min(SNIFF_BYTES, source.byteLength)))
  if (length <= BigInt(MAX_HEADER_BYTES) && head[LENGTH_BYTES] === 0x7b) return null
  const kind = sniffKind(head, source.byteLength)
  return kind ? new FileError('ST-02', `${source.name}: this ${kind}`) : null
}
