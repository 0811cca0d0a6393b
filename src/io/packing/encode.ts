/** From the codes and scales of a quantized weight to the tensors of a packed layout, and the config that names it. */
import { InputError } from '../../core/errors'
import type { IntegerQuantizer, MxQuantizer, NvfpQuantizer } from '../../formats/number-format'
import { quoted } from '../number-text'
import type { TensorToWrite } from '../write-safetensors'
import { preScaleEntry, tensorScaleEntry } from './own-metadata'
import { packRows, type QuantizedCodes } from './quantized-codes'

/** Layouts a weight can be written in. */
export const PACKED_LAYOUTS = ['compressed-tensors', 'blocks-scales'] as const

export type PackedLayout = (typeof PACKED_LAYOUTS)[number]

/** A weight as it is written. */
export interface EncodedWeight {
  readonly tensors: readonly TensorToWrite[]
  /** Entries of the file's metadata without which the values come out a little different. */
  readonly metadata: Readonly<Record<string, string>>
  /** What a loader that does not know these entries gets wrong, in sentences; empty when nothing. */
  readonly warnings: readonly string[]
}

/**
 * `codes` as the weight `name` in `layout`: "q_proj.weight" becomes q_proj.weight_packed, q_proj.weight_scale and so on,
 * or q_proj.weight_blocks and q_proj.weight_scales. Read back by logicalTensors with its metadata, the values are those
 * the GPU decodes, bit for bit.
 *
 * compressed-tensors takes MXFP4, MXFP8 (E4M3), NVFP4 and grouped or per-row INT4 and INT8; blocks-scales takes MXFP4.
 * Integer scales are written in F32. Throws InputError PK-06 for what a layout has no place for.
 */
export function encodeWeight(name: string, codes: QuantizedCodes, layout: PackedLayout): EncodedWeight {
  const { quantizer } = codes
  checkLayout(name, codes, layout)
  switch (quantizer.family) {
    case 'mx':
      return encodeMx(name, codes, { quantizer, layout })
    case 'nvfp':
      return encodeNvfp(name, codes, quantizer)
    case 'integer':
      return encodeIntegers(name, codes, quantizer)
    case 'sixteen-bit':
      throw new Error('encodeWeight: checkLayout lets no 16-bit floats pass')
    default:
      return quantizer satisfies never
  }
}

/** A weight before it is quantized, as far as layouts are concerned. */
export type WeightFacts = Pick<QuantizedCodes, 'quantizer' | 'cols'>

/**
 * Throws InputError PK-06 for a format, a scale or a width that `layout` has no place for, naming what it has. Only the
 * scale of an NVFP4 tensor may be refused later: it must have an inverse in f32.
 */
export function checkLayout(name: string, { quantizer, cols }: WeightFacts, layout: PackedLayout): void {
  const refuse = (expected: string, found: string) =>
    new InputError('PK-06', `tensor ${quoted(name)}: layout ${layout}: expected ${expected}, found ${found}.`)
  const { label } = quantizer.format
  if (layout === 'blocks-scales' && quantizer.format.id !== 'mxfp4') throw refuse('MXFP4', label)
  switch (quantizer.family) {
    case 'mx': {
      const { format, blockSize, scaleRule } = quantizer
      if (format.id !== 'mxfp4' && format.id !== 'mxfp8_e4m3') {
        throw refuse('MXFP4 or MXFP8 E4M3 among MX formats', label)
      }
      if (scaleRule === 'fp32' || blockSize !== format.blockSize) {
        const found = scaleRule === 'fp32' ? 'fp32 scales' : `blocks of ${blockSize}`
        throw refuse(`E8M0 scales for blocks of ${format.blockSize}`, found)
      }
      checkWhole(name, cols, blockSize)
      return
    }
    case 'nvfp':
      checkWhole(name, cols, quantizer.format.blockSize)
      return
    case 'integer': {
      const { group, format } = quantizer
      checkWhole(name, cols, group === 'row' ? 32 / format.element.bits : group)
      return
    }
    case 'sixteen-bit':
      throw refuse('MXFP4, MXFP8 E4M3, NVFP4, INT4 or INT8', label)
    default:
      quantizer satisfies never
  }
}

/** Throws InputError PK-06 unless rows are whole blocks: the layouts have no short last block. */
function checkWhole(name: string, cols: number, blockSize: number): void {
  if (cols % blockSize === 0) return
  const message = `expected a multiple of ${blockSize} columns, found ${cols}`
  throw new InputError('PK-06', `tensor ${quoted(name)}: ${message}.`)
}

interface MxTarget {
  readonly quantizer: MxQuantizer
  readonly layout: PackedLayout
}

function encodeMx(name: string, codes: QuantizedCodes, { quantizer, layout }: MxTarget): EncodedWeight {
  const { rows, cols } = codes
  const { format, blockSize, preScale } = quantizer
  const isFp4 = format.id === 'mxfp4'
  const rowBytes = isFp4 ? cols / 2 : cols
  const blocks = cols / blockSize
  const codeBytes = packRows(codes.codes, rows, { bytes: rowBytes, stride: codes.codeStride })
  const scaleBytes = packRows(codes.scales, rows, { bytes: blocks, stride: codes.scaleStride })
  const scaleShape = [rows, blocks]
  const tensors: TensorToWrite[] =
    layout === 'blocks-scales'
      ? [
          { name: `${name}_blocks`, dtype: 'U8', shape: [rows, blocks, blockSize / 2], bytes: codeBytes },
          { name: `${name}_scales`, dtype: 'U8', shape: scaleShape, bytes: scaleBytes },
        ]
      : [
          isFp4
            ? { name: `${name}_packed`, dtype: 'U8', shape: [rows, rowBytes], bytes: codeBytes }
            : { name, dtype: 'F8_E4M3', shape: [rows, cols], bytes: codeBytes },
          { name: `${name}_scale`, dtype: 'U8', shape: scaleShape, bytes: scaleBytes },
        ]
  if (!preScale) return { tensors, metadata: {}, warnings: [] }
  const warning = `${name}: values are to be divided by the pre-scale ${preScale.factor}; a loader that does not know the metadata key reads them ${preScale.factor} times as large.`
  return { tensors, metadata: preScaleEntry(name, preScale), warnings: [warning] }
}

function encodeNvfp(name: string, codes: QuantizedCodes, { format }: NvfpQuantizer): EncodedWeight {
  const { rows, cols, tensorScale } = codes
  // Divides in this layout. f32 numbers have inverses in f32 within half a unit, if they have any.
  const divisor = Math.fround(1 / tensorScale)
  if (!(divisor > 0 && divisor < Infinity)) {
    const expected = `scale of the tensor: expected a number with an inverse in f32, found ${tensorScale}`
    throw new InputError('PK-06', `tensor ${quoted(name)}: ${expected}.`)
  }
  const blocks = cols / format.blockSize
  const tensors: TensorToWrite[] = [
    {
      name: `${name}_packed`,
      dtype: 'U8',
      shape: [rows, cols / 2],
      bytes: packRows(codes.codes, rows, { bytes: cols / 2, stride: codes.codeStride }),
    },
    {
      name: `${name}_scale`,
      dtype: 'F8_E4M3',
      shape: [rows, blocks],
      bytes: packRows(codes.scales, rows, { bytes: blocks, stride: codes.scaleStride }),
    },
    {
      name: `${name}_global_scale`,
      dtype: 'F32',
      shape: [1],
      bytes: new Uint8Array(new Float32Array([divisor]).buffer),
    },
  ]
  // Powers of two are their own inverses' inverses: nothing is rounded.
  if (divisor * tensorScale === 1) return { tensors, metadata: {}, warnings: [] }
  const warning = `${name}: ${name}_global_scale divides and is rounded; a loader that does not know the metadata key reads values up to a few units of the last f32 place off.`
  return { tensors, metadata: tensorScaleEntry(name, tensorScale), warnings: [warning] }
}

/** Zero points of `bits` bits in I32 words down the rows: row r in word ⌊r · bits / 32⌋, lowest row lowest. */
function packZeroPoints(zeros: Uint32Array, { rows, groups }: { rows: number; groups: number }, bits: number) {
  const rowsPerWord = 32 / bits
  const words = new Uint32Array(Math.ceil(rows / rowsPerWord) * groups)
  zeros.forEach((zero, i) => {
    const row = Math.floor(i / groups)
    words[Math.floor(row / rowsPerWord) * groups + (i % groups)] |= zero << (bits * (row % rowsPerWord))
  })
  return words
}

function encodeIntegers(name: string, codes: QuantizedCodes, quantizer: IntegerQuantizer): EncodedWeight {
  const { rows, cols, scaleStride } = codes
  const { bits } = quantizer.format.element
  const groups = quantizer.group === 'row' ? 1 : cols / quantizer.group
  const isAsymmetric = quantizer.scheme === 'asym'
  const bytes = packRows(codes.codes, rows, { bytes: (cols * bits) / 8, stride: codes.codeStride })
  // Two's complement becomes q + 2^(bits − 1) when the sign bits turn; codes with a zero point are that already.
  if (!isAsymmetric) for (let i = 0; i < bytes.length; i++) bytes[i] ^= bits === 4 ? 0x88 : 0x80
  const entry = isAsymmetric ? 8 : 4
  const entries = new DataView(packRows(codes.scales, rows, { bytes: groups * entry, stride: scaleStride }).buffer)
  const scales = Float32Array.from({ length: rows * groups }, (_, i) => entries.getFloat32(i * entry, true))
  const scaleShape = [rows, groups]
  const tensors: TensorToWrite[] = [
    { name: `${name}_packed`, dtype: 'I32', shape: [rows, (cols * bits) / 32], bytes },
    { name: `${name}_scale`, dtype: 'F32', shape: scaleShape, bytes: new Uint8Array(scales.buffer) },
    {
      name: `${name}_shape`,
      dtype: 'I64',
      shape: [2],
      bytes: new Uint8Array(BigInt64Array.of(BigInt(rows), BigInt(cols)).buffer),
    },
  ]
  if (isAsymmetric) {
    const zeros = Uint32Array.from({ length: rows * groups }, (_, i) => entries.getUint32(i * entry + 4, true))
    const words = packZeroPoints(zeros, { rows, groups }, bits)
    const shape = [words.length / groups, groups]
    tensors.push({ name: `${name}_zero_point`, dtype: 'I32', shape, bytes: new Uint8Array(words.buffer) })
  }
  return { tensors, metadata: {}, warnings: [] }
}
