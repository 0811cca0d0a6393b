import type { PreScale } from '../formats/number-format'
import type { ByteSource } from './byte-source'

/** Every dtype of the safetensors format, with the bits of an element. */
export const DTYPE_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const

export type Dtype = keyof typeof DTYPE_BITS

/** What the elements of a packed tensor are called: codes and their scales stored as tensors of their own (packing/). */
export const PACKED_BITS = { MXFP4: 4, MXFP6: 6, MXFP8: 8, NVFP4: 4, FP8: 8, INT4: 4, INT8: 8 } as const

export type PackedType = keyof typeof PACKED_BITS

/** Bits of one element as it is stored; of a packed tensor those of its code, scales not counted. */
export function storedBits(dtype: Dtype | PackedType): number {
  return dtype in DTYPE_BITS ? DTYPE_BITS[dtype as Dtype] : PACKED_BITS[dtype as PackedType]
}

/** A tensor inside an open file. Nothing is read until it is decoded. */
export interface TensorView {
  readonly name: string
  /** A PackedType exactly where `storage` is packed. */
  readonly dtype: Dtype | PackedType
  readonly shape: readonly number[]
  /** From the start of the file; of a packed tensor where its codes begin. */
  readonly byteOffset: number
  /** Of a packed tensor that of all its parts. */
  readonly byteLength: number
  /** The file it is in, where several are read as one; `byteOffset` then counts from the start of the first of them. */
  readonly shard?: Shard
  /** How elements follow from the bytes; absent where the bytes are the elements, row-major and little-endian. */
  readonly storage?: PackedStorage | ArrayStorage
}

/** One of the files of a checkpoint. */
export interface Shard {
  readonly name: string
  /** Where it begins when the files are read as one. */
  readonly start: number
}

/** A tensor as the header of a safetensors file lists it. */
export interface StoredTensor extends TensorView {
  readonly dtype: Dtype
}

/** Half-open range of rows, a row being the last axis of a tensor. */
export interface RowRange {
  readonly start: number
  readonly end: number
}

/** The file that holds a tensor or a part of one; parts of a packed tensor may lie in other shards. */
export type SourceOf = (tensor: TensorView) => ByteSource

/** A NumPy array that is not row-major or not little-endian. */
export interface ArrayStorage {
  readonly kind: 'array'
  readonly bigEndian: boolean
  /** The first axis varies fastest (Fortran order). */
  readonly columnMajor: boolean
}

/** A tensor of the file and what it is to the packed tensor, in the words of its name: "scale", "zero_point". */
export interface PackedPart {
  readonly role: string
  readonly tensor: TensorView
}

/**
 * Codes and scales that stand for one matrix [rows, cols]. Codes are a little-endian bit stream per row, `rowBytes`
 * from one row to the next: code i in bits i · codeBits … (nibbles low first, 32-bit words with element 0 lowest).
 */
export interface PackedStorage {
  readonly kind: 'packed'
  /** Who writes it so, for people: "gpt-oss MXFP4". */
  readonly layout: string
  /** What is unusual about it; '' when nothing is. */
  readonly note: string
  /** Everything it is made of, codes first. */
  readonly parts: readonly PackedPart[]
  readonly codes: TensorView
  readonly codeBits: 4 | 6 | 8
  readonly rowBytes: number
  /** Values of codes: those of a dtype, or of integers stored as q + 2^(bits − 1). */
  readonly element: Dtype | 'offset'
  readonly scale: ByteScale | RealScale
}

/** One byte for every `blockSize` elements of a row, and perhaps a factor for all of them. */
export interface ByteScale {
  readonly kind: 'byte'
  readonly tensor: TensorView
  readonly byte: 'F8_E8M0' | 'F8_E4M3'
  readonly blockSize: number
  /** One number in the file that the values are multiplied or divided by. */
  readonly factor: { readonly tensor: TensorView; readonly use: 'multiply' | 'divide' } | null
  /** The exact f32 multiplier our own files name; stands for `factor`. */
  readonly tensorScale: number | null
  /** The pre-scale our own files name: the values are divided by its factor. */
  readonly preScale: PreScale | null
}

/** One floating-point number for every tile of rowsPerScale x colsPerScale elements. */
export interface RealScale {
  readonly kind: 'real'
  readonly tensor: TensorView
  readonly rowsPerScale: number
  readonly colsPerScale: number
  /** What is subtracted from codes before scaling: one for every scale; `packed` as I32 words down the rows, or I8. */
  readonly zeroPoint: { readonly tensor: TensorView; readonly packed: boolean } | null
  /** The group of every column, where columns were reordered (I32 [cols]); −1 throughout means the usual ones. */
  readonly groupIndex: TensorView | null
  /** I64 [2] that must say [rows, cols]. */
  readonly shapeCheck: TensorView | null
}
