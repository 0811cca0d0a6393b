import { FileError } from '../core/errors'
import type { ByteSource } from './byte-source'
import { decodeElements } from './element-values'
import { isNpy, readNpy } from './npy/read-npy'
import { logicalTensors, type PackingHints, type Refusal } from './packing/recognise'
import { readBytes } from './read-bytes'
import { readHeader } from './read-header'
import type { TensorView } from './tensor-view'

/** What an open file holds, as a user thinks of it: packed tensors are one each. */
export interface FileTensors {
  readonly tensors: readonly TensorView[]
  readonly metadata: Readonly<Record<string, string>>
  /** Packed tensors that could not be put together; their parts are among `tensors`. */
  readonly refusals: readonly Refusal[]
}

/** What the header of a file lists, packed tensors by their parts. */
export interface StoredTensors {
  readonly kind: 'safetensors' | 'npy'
  readonly tensors: readonly TensorView[]
  readonly metadata: Readonly<Record<string, string>>
}

const SNIFF_BYTES = 8

/** Codes of files that do not even begin like safetensors, and like no other kind that is known. */
const NO_HEADER = new Set(['ST-01', 'ST-03', 'ST-04', 'ST-05'])

/** The header of a safetensors or NumPy file. Throws what readHeader and readNpy throw. */
export async function readStored(source: ByteSource): Promise<StoredTensors> {
  const head = new Uint8Array(await readBytes(source, 0, Math.min(SNIFF_BYTES, source.byteLength)))
  if (isNpy(head)) return { kind: 'npy', tensors: [await readNpy(source)], metadata: {} }
  const header = readHeader(source).catch(async (error: unknown) => {
    const isNone = error instanceof FileError && NO_HEADER.has(error.code)
    // Of a file called so readNpy says what it is instead.
    if (isNone && /\.npy$/i.test(source.name)) await readNpy(source)
    throw error
  })
  return { kind: 'safetensors', ...(await header) }
}

/** What the tensors of a file stand for. Reads at most 16 bytes, where integers are packed. */
export async function assembleTensors(
  source: ByteSource,
  { tensors, metadata }: StoredTensors,
  hints: PackingHints = {},
): Promise<FileTensors> {
  const integerBits = await findIntegerBits(source, tensors)
  return { ...logicalTensors(tensors, { metadata, integerBits, ...hints }), metadata }
}

/**
 * The tensors of a safetensors file or the array of a NumPy file. Reads headers only, and 16 bytes more where integers
 * are packed. Throws what readHeader and readNpy throw.
 */
export async function readTensors(source: ByteSource, hints: PackingHints = {}): Promise<FileTensors> {
  return assembleTensors(source, await readStored(source), hints)
}

/**
 * Bits of pack-quantized integers, from the shape that stands beside the first of them: [out, in] for [out, words]. One
 * read; that the others have as many is checked when they are decoded. null when there are none, or it is no 4 or 8.
 */
export async function findIntegerBits(source: ByteSource, tensors: readonly TensorView[]): Promise<4 | 8 | null> {
  const shapes = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  for (const { name, dtype, shape } of tensors) {
    const beside =
      dtype === 'I32' && name.endsWith('_packed') ? shapes.get(name.replace(/packed$/, 'shape')) : undefined
    if (beside?.dtype !== 'I64' || beside.byteLength !== 16) continue
    const bytes = await readBytes(source, beside.byteOffset, beside.byteOffset + beside.byteLength)
    const bits = (32 * (shape.at(-1) ?? 0)) / decodeElements('I64', bytes, 2)[1]
    return bits === 4 || bits === 8 ? bits : null
  }
  return null
}
