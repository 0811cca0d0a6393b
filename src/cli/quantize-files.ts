/**
 * How `mxscope quantize` writes: every quantized tensor first becomes a file of its own in OUT.parts, whole or not at all;
 * those of a shard are then put together with the tensors that stay, in a temporary file that is renamed when it is
 * complete. A run that is interrupted leaves parts, and --resume goes on from them.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { FileError } from '../core/errors'
import type { ByteSource } from '../io/byte-source'
import { type Header, readHeader } from '../io/read-header'
import type { Dtype, TensorView } from '../io/tensor-view'
import { layOutSafetensors, type TensorFacts } from '../io/write-safetensors'
import { openSource } from './node-source'
import { writeWhole } from './output'

/** Bytes copied at a time. */
const COPY_BYTES = 16 * 2 ** 20

/** Key of the metadata that says what made a file; equal text means equal settings and the same input. */
const FINGERPRINT_KEY = 'mxscope.fingerprint'

/** Short text that stands for `facts`, plain data. */
export function fingerprintOf(facts: unknown): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}

/** A file that may be there, with this fingerprint: its header. Null when it is not, or is another one. */
export async function finishedFile(path: string, fingerprint: string): Promise<Header | null> {
  const source = await openSource(path).catch(() => null)
  if (!source) return null
  try {
    const header = await readHeader(source)
    return header.metadata[FINGERPRINT_KEY] === fingerprint ? header : null
  } catch (error) {
    if (error instanceof FileError) return null
    throw error
  } finally {
    await source.close()
  }
}

/** Where the part of a tensor waits. */
export function partPath(folder: string, tensor: string): string {
  return join(folder, `${fingerprintOf(tensor).slice(0, 32)}.safetensors`)
}

/** `file` with `entries` added to its metadata, written whole. Throws FileError FS-02. */
export async function writePart(
  path: string,
  file: Uint8Array<ArrayBuffer>,
  entries: { readonly fingerprint: string; readonly metadata: Readonly<Record<string, string>> },
): Promise<void> {
  const slice = async (start: number, end: number) => file.slice(start, end).buffer
  const source: ByteSource = { name: path, byteLength: file.length, slice }
  const header = await readHeader(source)
  const metadata = { ...header.metadata, ...entries.metadata, [FINGERPRINT_KEY]: entries.fingerprint }
  const laidOut = layOutSafetensors(header.tensors.map(factsOf), metadata)
  const first = file.length - laidOut.order.reduce((sum, { byteLength }) => sum + byteLength, 0)
  // The order is that of the file, so its data follows as it is.
  const whole = new Uint8Array(laidOut.header.length + file.length - first)
  whole.set(laidOut.header)
  whole.set(file.subarray(first), laidOut.header.length)
  await writeWhole(path, whole)
}

function factsOf({ name, dtype, shape, byteLength }: TensorView): TensorFacts {
  return { name, dtype: dtype as Dtype, shape, byteLength }
}

/** A tensor whose bytes lie in an open file. */
interface Entry extends TensorFacts {
  readonly source: ByteSource
  readonly byteOffset: number
}

const entriesOf = (source: ByteSource, tensors: readonly TensorView[]): readonly Entry[] =>
  tensors.map((tensor) => ({ ...factsOf(tensor), source, byteOffset: tensor.byteOffset }))

/** What a finished file is put together from. */
export interface Assembly {
  readonly path: string
  /** On the same file system as `path`. */
  readonly workFolder: string
  readonly fingerprint: string
  readonly parts: readonly string[]
  /** Tensors that stay as they are, and the file they are in. */
  readonly rest: { readonly source: ByteSource; readonly tensors: readonly TensorView[] }
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Writes the file of `assembly` a few megabytes at a time and renames it to its name when all of it is on disk. Returns
 * its header. Throws FileError EX-02 for a name that two tensors would have, FS-02 when it cannot be written.
 */
export async function assemble({ path, workFolder, fingerprint, parts, rest, metadata }: Assembly): Promise<Header> {
  const entries: Entry[] = [...entriesOf(rest.source, rest.tensors)]
  const merged: Record<string, string> = { ...metadata }
  const sources = []
  try {
    for (const part of parts) {
      const source = await openSource(part)
      sources.push(source)
      const header = await readHeader(source)
      entries.push(...entriesOf(source, header.tensors))
      Object.assign(merged, header.metadata)
    }
    checkNames(path, entries)
    merged[FINGERPRINT_KEY] = fingerprint
    const temporary = join(workFolder, `${fingerprint.slice(0, 32)}.tmp`)
    await stream(path, temporary, layOutSafetensors(entries, merged))
  } finally {
    for (const source of sources) await source.close()
  }
  const written = await finishedFile(path, fingerprint)
  if (written) return written
  throw new FileError('FS-02', `${path}: expected the file that was written, found another one.`)
}

function checkNames(path: string, entries: readonly Entry[]): void {
  const names = new Set<string>()
  for (const { name } of entries) {
    if (names.has(name)) {
      throw new FileError(
        'EX-02',
        `${path}: expected one tensor "${name}", found two. Leave the others out: --rest drop.`,
      )
    }
    names.add(name)
  }
}

async function stream(
  path: string,
  temporary: string,
  { header, order }: { readonly header: Uint8Array; readonly order: readonly Entry[] },
): Promise<void> {
  const refuse = (cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new FileError('FS-02', `${path}: cannot be written (${reason}).`, { cause })
  }
  const handle = await open(temporary, 'w').catch((cause: unknown) => {
    throw refuse(cause)
  })
  const write = async (bytes: Uint8Array) => {
    await handle.writeFile(bytes).catch((cause: unknown) => {
      throw refuse(cause)
    })
  }
  try {
    await write(header)
    for (const { source, byteOffset, byteLength } of order) {
      for (let at = 0; at < byteLength; at += COPY_BYTES) {
        const end = Math.min(at + COPY_BYTES, byteLength)
        await write(new Uint8Array(await source.slice(byteOffset + at, byteOffset + end)))
      }
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, path).catch((cause: unknown) => {
    throw refuse(cause)
  })
}

/** Makes `folder`, and those above it. Throws FileError FS-02. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: Error) => {
    throw new FileError('FS-02', `${folder}: cannot be made (${cause.message}).`, { cause })
  })
}

/** Removes a folder with nothing in it; any other stays. */
export async function removeEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch(() => {})
}

/** Removes a folder of parts, if it is there. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}
